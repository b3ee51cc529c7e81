#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "controller/kubernetes/manifest_objects.h"

namespace weir::kubernetes {

// Who holds which object: the good objects of every file, and for each object the file that counts
// (the first by path). Tells the target what changed in effect, nothing else. One thread.
class FolderIndex {
 public:
  // target is borrowed for the object's life.
  explicit FolderIndex(SourceTarget& target) : target_(target) {}

  // Replaces what a file holds. Objects whose key stands in keep (they are broken now) stay as they
  // were.
  void put_file(const std::string& path, std::vector<ManifestObject> objects,
                const std::unordered_set<std::string>& keep);
  void remove_file(const std::string& path);
  bool has_file(const std::string& path) const { return files_.contains(path); }
  std::vector<std::string> files_below(const std::string& path) const;  // the path itself included
  std::vector<std::string> paths() const;

  // Hands out what changed since the last call.
  void settle();

  // On-demand kinds, counted. want() hands nothing out; look() does, also the absence.
  void want(const KindDescriptor& kind, std::string_view ns, std::string_view name);
  void unwant(const KindDescriptor& kind, std::string_view ns, std::string_view name);
  void look(const KindDescriptor& kind, std::string_view ns, std::string_view name);

 private:
  struct Slot {
    std::map<std::string, ManifestObject> by_path;
    std::string handed_version;  // empty: the target does not have it
    bool conflict_told = false;
  };

  void settle_slot(const std::string& key, Slot& slot);
  void tell_conflict(Slot& slot);

  SourceTarget& target_;
  std::map<std::string, std::vector<std::string>> files_;  // path -> keys
  std::unordered_map<std::string, Slot> slots_;
  std::unordered_map<std::string, int> wanted_;
  std::vector<std::string> touched_;
  std::unordered_map<std::string, ManifestObject> gone_;  // identity of slots that were emptied
};

}  // namespace weir::kubernetes
