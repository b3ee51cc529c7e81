#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace weir::process {

// Has this process write stacks into its log before a signal ends it: the thread's own where it
// crashes or a check of ours fails, those of all watched threads where a watchdog aborts it. One
// line of JSON a thread on standard error; a frame is "module+0xOFFSET" as addr2line takes it, and
// build_id is the program's. Call once in main, before other threads start.
//   component: as in log_start(); at most 31 bytes of it, plain text.
void log_stacks_at_death(std::string_view component);

// A thread that a watchdog waits for, by name. Room for kMost at a time; those beyond are not in
// the log.
class WatchedThread {
 public:
  static constexpr std::size_t kMost = 256;

  // name: at most 23 bytes of it, plain text.
  explicit WatchedThread(std::string_view name);
  ~WatchedThread();  // behind the thread's end
  WatchedThread(const WatchedThread&) = delete;
  WatchedThread& operator=(const WatchedThread&) = delete;

  void enter();  // on the thread itself, before anything is asked of it
  // A sign of life is due within this time; without one the log calls the thread late. Any thread.
  void ask(std::chrono::milliseconds within);
  void answered();  // any thread

 private:
  std::size_t slot_;  // kMost: none was free
};

}  // namespace weir::process
