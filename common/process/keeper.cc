#include "common/process/keeper.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/process/spawn.h"

namespace weir::process {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{100};   // how often the watchdog looks
constexpr milliseconds kGrace{300};  // from SIGABRT to SIGKILL, for what can end by itself

base::UniqueFd signal_fd() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&set, number);
  WEIR_CHECK(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
  for (const int number : {SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2}) signal(number, SIG_IGN);
  return base::UniqueFd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

}  // namespace

Keeper::Keeper(Options options, Kept& kept)
    : options_(std::move(options)),
      kept_(kept),
      signals_(signal_fd()),
      on_signal_(*this),
      watchdog_(loop_.timers(), [this] { look(); }),
      restart_(loop_.timers(), [this] { start(); }),
      silence_(kLook) {
  WEIR_CHECK(signals_.valid());
  token_ = loop_.add(signals_.get(), on_signal_, EPOLLIN);
}

Keeper::~Keeper() { loop_.remove(token_); }

int Keeper::run() {
  start();
  look();
  while (!over_) loop_.run_once(std::chrono::seconds(10));
  return exit_code_;
}

void Keeper::heard() {
  heard_ = true;
  silence_.heard(loop_.clock().now());
}

void Keeper::start() {
  started_ = loop_.clock().now();
  aborted_ = {};
  silence_.heard(started_);
  auto spawned = kept_.start();
  if (!spawned.ok()) {
    base::log_error(options_.what + " not started", {{"reason", spawned.error().text}});
    restart_.arm(loop_.clock().now() + RestartPause::kLongest);
    return;
  }
  pid_ = spawned.value();
  base::log_info(options_.what + " started", {{"pid", pid_}});
}

void Keeper::ended(int status) {
  pid_ = -1;
  kept_.ended();
  const int code = process::exit_code(status);
  if (stopping_ || (options_.first_must_live && !heard_)) {
    over_ = true;
    exit_code_ = code;
    return;
  }
  const milliseconds pause = pause_.after(loop_.clock().now() - started_);
  base::log_error(options_.what + " ended; starting it again",
                  {{"code", code}, {"pause_ms", pause.count()}});
  if (pause.count() == 0) return start();
  restart_.arm(loop_.clock().now() + pause);
}

void Keeper::read_signals() {
  signalfd_siginfo received{};
  while (read(signals_.get(), &received, sizeof received) == sizeof received) {
    if (received.ssi_signo == SIGCHLD) {
      reap();
    } else {
      stop(static_cast<int>(received.ssi_signo));
    }
  }
}

// As pid 1 this process inherits every orphan.
void Keeper::reap() {
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    if (pid == pid_) ended(status);
  }
}

void Keeper::stop(int signal_number) {
  stopping_ = true;
  base::log_info("stopping", {{"signal", signal_number}});
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
  } else {
    over_ = true;
  }
}

void Keeper::look() {
  const base::TimePoint now = loop_.clock().now();
  watchdog_.arm(now + kLook);
  if (pid_ <= 0) return;
  silence_.add(now, silence_.questioned() ? glance(pid_) : std::nullopt);
  if (silence_.counted() >= options_.longest_silence) kill_silent();
}

// First a core with a stack; one that does not even abort is killed.
void Keeper::kill_silent() {
  const base::TimePoint now = loop_.clock().now();
  const bool was_aborted = aborted_ != base::TimePoint{};
  if (was_aborted && now - aborted_ < kGrace) return;
  const int number = was_aborted ? SIGKILL : SIGABRT;
  const auto silent = std::chrono::duration_cast<milliseconds>(silence_.counted());
  base::log_error(options_.what + " is silent",
                  {{"pid", pid_}, {"silent_ms", silent.count()}, {"signal", number}});
  kill(pid_, number);
  aborted_ = now;
}

}  // namespace weir::process
