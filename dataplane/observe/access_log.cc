#include "dataplane/observe/access_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace weir::observe {
namespace {

// How long a line may lie in a quiet ring, and how long the writer waits for a file that takes
// nothing (a pipe whose reader stopped) before it drops.
constexpr int kPollMillis = 100;
constexpr int kStuckMillis = 1'000;

// Standard output as an open file of our own, so that O_NONBLOCK does not reach the processes that
// share it. A socket cannot be opened again: then the writer thread, and only it, may block.
int open_stdout() {
  const int own = ::open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
  return own >= 0 ? own : ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

}  // namespace

void AccessLog::Lane::write(const ExchangeRecord& record, base::WallTime now) {
  char* const place = ring_.reserve(LogLine::bound(record));
  if (place == nullptr) {
    dropped_.add(1);
    return;
  }
  ring_.give(static_cast<std::size_t>(line_.write(record, now, place) - place));
  lines_.add(1);
  // One system call per quarter ring, not per line.
  if (ring_.used() > ring_.capacity() / 4) log_.wake();
}

base::Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& path,
                                                         std::size_t workers, std::size_t ring) {
  base::UniqueFd file(path.empty()
                          ? open_stdout()
                          : ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  if (!file.valid()) {
    return base::system_error("access log " + (path.empty() ? "standard output" : path), errno);
  }
  return std::make_unique<AccessLog>(std::move(file), workers, ring);
}

AccessLog::AccessLog(base::UniqueFd file, std::size_t workers, std::size_t ring)
    : file_(std::move(file)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  for (std::size_t i = 0; i < workers; ++i) lanes_.emplace_back(new Lane(*this, ring));
  writer_ = std::thread([this] { run(); });
}

AccessLog::~AccessLog() {
  stop_.store(true, std::memory_order_release);
  woken_.store(false, std::memory_order_relaxed);
  wake();
  writer_.join();
}

void AccessLog::wake() {
  if (woken_.exchange(true, std::memory_order_relaxed)) return;
  const std::uint64_t one = 1;
  // Fails only when the counter is full, which is a wake-up too.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void AccessLog::run() {
  while (!stop_.load(std::memory_order_acquire)) {
    pollfd waiting{wake_.get(), POLLIN, 0};
    ::poll(&waiting, 1, kPollMillis);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
    woken_.store(false, std::memory_order_relaxed);
    write_all();
  }
  // Bounded: nobody writes any more.
  write_all();
}

bool AccessLog::write_all() {
  bool any = false;
  for (const auto& lane : lanes_) {
    if (lane->ring_.used() == 0) continue;
    any = true;
    write_lane(*lane);
  }
  return any;
}

void AccessLog::write_lane(Lane& lane) {
  std::string_view bytes = lane.ring_.peek();
  const std::size_t all = bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (written < 0 && errno == EINTR) continue;
    pollfd waiting{file_.get(), POLLOUT, 0};
    if (written < 0 && errno == EAGAIN && ::poll(&waiting, 1, kStuckMillis) > 0) continue;
    lost_bytes_.add(bytes.size());
    break;
  }
  lane.ring_.take(all);
}

std::uint64_t AccessLog::dropped() const {
  std::uint64_t sum = 0;
  for (const auto& lane : lanes_) sum += lane->dropped_.read();
  return sum;
}

void AccessLog::collect(std::vector<base::Family>& out) const {
  double lines = 0;
  for (const auto& lane : lanes_) lines += static_cast<double>(lane->lines_.read());
  const auto add = [&out](std::string name, std::string help, double value) {
    out.push_back(
        {std::move(name), std::move(help), base::MetricType::kCounter, {{{}, value}}, {}});
  };
  add("weir_access_log_lines_total", "Access log lines written to the rings.", lines);
  add("weir_access_log_dropped_total", "Access log lines dropped because a ring was full.",
      static_cast<double>(dropped()));
  add("weir_access_log_lost_bytes_total", "Access log bytes that the file did not take.",
      static_cast<double>(lost_bytes_.read()));
}

}  // namespace weir::observe
