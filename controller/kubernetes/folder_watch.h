#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/result.h"
#include "common/loop/loop.h"

struct inotify_event;  // <sys/inotify.h>

namespace weir::kubernetes {

// What happened in the folder since the last call. Paths are relative to the root, with '/' between
// parts.
struct FolderChanges {
  std::vector<std::string> changed;  // written and closed, moved in, linked
  std::vector<std::string> moved;    // old names of files that moved inside the folder
  std::vector<std::string> deleted;  // a file, or a folder: then everything below it
  std::vector<std::string>
      renamed_away;     // as deleted, but editors do this just before they write anew
  bool rescan = false;  // events were lost or a mount was swapped: look at everything
};

class FolderWatchTarget {
 public:
  virtual ~FolderWatchTarget() = default;
  virtual void on_changes(const FolderChanges& changes) = 0;
};

// True for names that hold manifests: *.yaml, *.yml, *.json, not hidden.
bool is_manifest_name(std::string_view name);

// Follows a tree of folders by inotify. Hidden names (first byte '.') are left out, but for the
// "..data" link of a mounted ConfigMap, whose swap asks for a rescan. Links are followed, at most
// 16 levels deep. One loop thread.
class FolderWatch final : public loop::IoHandler {
 public:
  // root, loop and target are borrowed for the object's life.
  FolderWatch(loop::Loop& loop, std::string root, FolderWatchTarget& target);
  ~FolderWatch() override;

  // Watches every folder of the tree and gives the manifest files in it, sorted. Call it again for
  // a rescan.
  //   errors: the root is not a readable folder, or inotify has no watches left (the text names the
  //   sysctl).
  base::Result<std::vector<std::string>> scan();
  const std::string& root() const { return root_; }

  void on_io(std::uint32_t events) override;

 private:
  base::Result<void> walk(const std::string& folder, int depth, std::vector<std::string>& files);
  void take(const ::inotify_event& event, FolderChanges& out);
  void take_folder(const std::string& path, std::uint32_t mask, FolderChanges& out);
  void take_file(const std::string& path, const ::inotify_event& event, FolderChanges& out);
  bool is_link(const std::string& path) const;

  loop::Loop& loop_;
  std::string root_;
  FolderWatchTarget& target_;
  base::UniqueFd inotify_;
  loop::IoToken token_;
  std::unordered_map<int, std::string> folders_;  // by watch descriptor; "" is the root
  std::unordered_map<std::uint32_t, std::string> moved_away_;  // by cookie, within one batch
};

}  // namespace weir::kubernetes
