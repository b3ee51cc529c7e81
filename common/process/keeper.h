#pragma once

#include <sys/types.h>

#include <string>

#include "common/base/result.h"
#include "common/loop/loop.h"
#include "common/process/restart_pause.h"
#include "common/process/silence.h"

namespace weir::process {

// Who starts the process that a Keeper keeps.
class Kept {
 public:
  virtual ~Kept() = default;
  virtual base::Result<pid_t> start() = 0;
  virtual void ended() = 0;  // its pid is gone, and it is not started again yet
};

// Keeps one child process alive: starts it, starts it again when it ends, and kills it when heard()
// was not called for too long: SIGABRT, then SIGKILL. SIGTERM and SIGINT are passed on; the run is
// over when the child ends after one of them, or at once when there is none then. Reaps orphans,
// for it may be pid 1. For a process with one thread.
class Keeper {
 public:
  struct Options {
    std::string what;                           // "worker process", for the log
    std::chrono::milliseconds longest_silence;  // until SIGABRT
    // A child that ends before anything was heard of any child ends the run with its code: what
    // never worked is for whoever started it, and starting it again helps nobody.
    bool first_must_live = false;
  };
  // kept: borrowed. Blocks the signals that it handles, and ignores those that mean nothing to a
  // server, which the child inherits.
  Keeper(Options options, Kept& kept);
  ~Keeper();

  // returns: the exit code of the child whose end was the run's (128 + signal when one killed it);
  // 0 when there was no child then.
  int run();
  void heard();
  pid_t pid() const { return pid_; }
  loop::Loop& loop() { return loop_; }

 private:
  struct OnSignal final : loop::IoHandler {
    explicit OnSignal(Keeper& owner) : keeper(owner) {}
    void on_io(std::uint32_t) override { keeper.read_signals(); }
    Keeper& keeper;
  };

  void start();
  void ended(int status);
  void read_signals();
  void reap();
  void stop(int signal_number);
  void look();
  void kill_silent();

  const Options options_;
  Kept& kept_;
  loop::Loop loop_;
  base::UniqueFd signals_;
  OnSignal on_signal_;
  loop::IoToken token_;
  loop::Timer watchdog_;
  loop::Timer restart_;
  RestartPause pause_;
  Silence silence_;
  pid_t pid_ = -1;
  base::TimePoint started_;
  base::TimePoint aborted_{};  // zero: not
  bool heard_ = false;         // of any child
  bool stopping_ = false;
  bool over_ = false;
  int exit_code_ = 0;
};

}  // namespace weir::process
