#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/base/fd.h"
#include "common/loop/loop.h"

namespace weir::guard {

// The guard is what a container of the controller starts: it starts the controller as its child and
// starts it again at once when it dies or hangs. A container that ended instead would be held back
// by the kubelet for up to five minutes, and its pod would not count as ready meanwhile, although
// the dataplane in it serves.

struct Options {
  std::vector<std::string> command;  // [0] is the program's path
  // Of the child's loop, then SIGABRT. A first list of 100,000 objects takes seconds.
  std::chrono::milliseconds longest_silence{30'000};
};

// Whether this process is the guard's child.
bool is_guarded();

// The guard's whole life: ends when the child ends after SIGTERM or SIGINT, and when the first
// child ends without ever having come up. To be called in a process with one thread.
//   returns: the exit code, the child's.
int run(const Options& options);

// The child's end: says that the loop runs, twice a second, for as long as it lives. Does nothing
// in a process that has no guard.
class SignOfLife {
 public:
  // loop: borrowed.
  explicit SignOfLife(loop::Loop& loop);

 private:
  void say();

  loop::Loop& loop_;
  base::UniqueFd pipe_;
  loop::Timer timer_;
};

}  // namespace weir::guard
