#pragma once

#include <sys/types.h>

#include <optional>

#include "common/base/clock.h"

namespace weir::process {

// What a process is at now.
struct Glance {
  bool would_run = false;  // some thread of it runs, or would if it got a processor or its disk
  base::Duration cpu{};    // processor time of all threads since its start
};

// Empty when the process is gone.
std::optional<Glance> glance(pid_t pid);

// For how long a process has given no sign of life, with the time left out in which it could not:
// while it waits for a processor, or in the kernel for a disk (a page of the program, a line of the
// log), only what it ran counts, so that a process that gets a tenth of one is not taken for one
// that hangs. A process that sleeps, is stopped, or spins, hangs by the clock. The time that the
// watcher itself was not running counts at most twice the distance of two looks.
class Silence {
 public:
  // Below this silence nothing is asked of the kernel.
  static constexpr std::chrono::milliseconds kUnquestioned{1'000};

  // look_every: how often add() will be called.
  explicit Silence(base::Duration look_every) : look_every_(look_every) {}

  void heard(base::TimePoint now);
  // Whether add() needs a glance.
  bool questioned() const { return counted_ >= kUnquestioned; }
  // One look. what: empty when there was none, or the process is gone: then time counts as it is.
  void add(base::TimePoint now, const std::optional<Glance>& what);
  base::Duration counted() const { return counted_; }

 private:
  const base::Duration look_every_;
  base::TimePoint looked_{};
  std::optional<Glance> last_;
  base::Duration counted_{};
};

}  // namespace weir::process
