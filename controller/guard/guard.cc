#include "controller/guard/guard.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "common/base/text.h"
#include "common/process/keeper.h"
#include "common/process/spawn.h"

namespace weir::guard {
namespace {

constexpr const char* kVariable = "WEIR_GUARD_FD";
constexpr std::chrono::milliseconds kBeat{500};

class Guard final : private process::Kept, private loop::IoHandler {
 public:
  explicit Guard(const Options& options)
      : options_(options),
        keeper_({.what = "controller process",
                 .longest_silence = options.longest_silence,
                 .first_must_live = true},
                *this) {}
  ~Guard() override { ended(); }

  int run() { return keeper_.run(); }

 private:
  base::Result<pid_t> start() override;
  void ended() override;
  void on_io(std::uint32_t) override;

  const Options& options_;
  process::Keeper keeper_;
  base::UniqueFd pipe_;
  loop::IoToken token_;
};

base::Result<pid_t> Guard::start() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return base::system_error("pipe", errno);
  pipe_ = base::UniqueFd(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  token_ = keeper_.loop().add(pipe_.get(), *this, EPOLLIN);
  return process::spawn({options_.command, theirs.get(), kVariable});
}

void Guard::ended() {
  keeper_.loop().remove(std::exchange(token_, {}));
  pipe_.reset();
}

void Guard::on_io(std::uint32_t) {
  std::array<char, 64> buffer{};
  if (read(pipe_.get(), buffer.data(), buffer.size()) > 0) return keeper_.heard();
  ended();  // closed: its end follows by SIGCHLD, or the watchdog's
}

}  // namespace

bool is_guarded() { return std::getenv(kVariable) != nullptr; }

int run(const Options& options) { return Guard(options).run(); }

SignOfLife::SignOfLife(loop::Loop& loop) : loop_(loop), timer_(loop.timers(), [this] { say(); }) {
  const char* const text = std::getenv(kVariable);
  const auto number = text == nullptr ? std::nullopt : base::parse_uint(text);
  if (!number) return;
  pipe_ = base::UniqueFd(static_cast<int>(*number));
  fcntl(pipe_.get(), F_SETFD, FD_CLOEXEC);
  say();
}

void SignOfLife::say() {
  // A full pipe says it too, and without the guard SIGTERM comes.
  [[maybe_unused]] const auto wrote = write(pipe_.get(), "+", 1);
  timer_.arm(loop_.clock().now() + kBeat);
}

}  // namespace weir::guard
