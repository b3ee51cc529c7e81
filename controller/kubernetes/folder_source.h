#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/loop/loop.h"
#include "controller/kubernetes/folder_index.h"
#include "controller/kubernetes/folder_watch.h"
#include "controller/kubernetes/source.h"

namespace weir::kubernetes {

// How long a file may be away before its objects are removed. Editors and version control replace a
// file in two steps; in between the objects must not flap.
struct FolderGrace {
  std::chrono::milliseconds deleted{5};
  std::chrono::milliseconds renamed_away{200};
};

// Objects from a folder of manifests (*.yaml, *.yml, *.json, nested folders), followed by inotify.
//   latency:  a written file is read and its changes are handed out in the loop step that learns of
//   it. mistakes: a file that cannot be read keeps its last good objects, so does a broken object
//   in a good
//             file; on_problem names file, line and reason, and an empty text says that it is over.
//   doubles:  the same object in two files: the first file by path counts, the other is reported.
//   kinds:    those of the table; another kind is logged once at debug level.
// One loop thread. The first load runs in slices of 20 ms.
class FolderSource final : public Source, private loop::Flushable, private FolderWatchTarget {
 public:
  // loop is borrowed for the object's life.
  FolderSource(loop::Loop& loop, std::string folder, FolderGrace grace = {});
  ~FolderSource() override;

  void start(const std::vector<KindDescriptor>& kinds, SourceTarget& target) override;
  void want(const KindDescriptor& kind, std::string_view ns, std::string_view name) override;
  void unwant(const KindDescriptor& kind, std::string_view ns, std::string_view name) override;
  // 0 while the folder can be read.
  double seconds_since_contact() const override;

 private:
  struct Wanted {
    const KindDescriptor* kind;
    std::string ns, name;
  };

  void flush() override;
  void on_changes(const FolderChanges& changes) override;
  void rescan();
  void load_slice();
  void load_file(const std::string& path);
  void take_file(const std::string& path, ManifestFile file);
  void remove_file(const std::string& path);
  void schedule_gone(const std::string& path, std::chrono::milliseconds grace);
  void arm_gone_timer();
  void run_gone();
  void tell_problem(const std::string& object, std::string text);
  void answer_wants();

  loop::Loop& loop_;
  FolderGrace grace_;
  FolderWatch watch_;
  loop::Timer gone_timer_;
  loop::Timer retry_timer_;
  SourceTarget* target_ = nullptr;
  const std::vector<KindDescriptor>* kinds_ = nullptr;
  KindTable table_;
  std::unique_ptr<FolderIndex> index_;
  std::deque<std::string> to_load_;
  std::map<std::string, base::TimePoint> gone_;  // files that are away, and until when they may be
  std::map<std::string, std::string> problems_;  // what has been told, by file
  std::set<std::string> unknown_kinds_;          // told already
  std::vector<Wanted> wants_;                    // not answered yet
  base::TimePoint last_contact_;
  bool started_ = false;
  bool loaded_ = false;
  bool folder_lost_ = false;
};

}  // namespace weir::kubernetes
