#include "common/process/silence.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/fd.h"

namespace weir::process {
namespace {

// By the letter after the name in parentheses, which may hold any byte (proc(5)): R, or D, in which
// no signal ends it either.
bool would_run(const std::string& stat_path) {
  const base::UniqueFd file(open(stat_path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> buffer{};
  const ssize_t got = file.valid() ? read(file.get(), buffer.data(), buffer.size()) : -1;
  if (got <= 0) return false;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  const auto end = text.rfind(')');
  if (end == std::string_view::npos || end + 2 >= text.size()) return false;
  return text[end + 2] == 'R' || text[end + 2] == 'D';
}

}  // namespace

std::optional<Glance> glance(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return {};
  Glance out;
  out.cpu = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  const std::string folder = "/proc/" + std::to_string(pid) + "/task";
  struct Close {
    void operator()(DIR* open_folder) const { closedir(open_folder); }
  };
  const std::unique_ptr<DIR, Close> threads(opendir(folder.c_str()));
  if (threads == nullptr) return {};
  for (const dirent* at = readdir(threads.get()); at != nullptr && !out.would_run;
       at = readdir(threads.get())) {
    if (at->d_name[0] != '.') out.would_run = would_run(folder + "/" + at->d_name + "/stat");
  }
  return out;
}

void Silence::heard(base::TimePoint now) {
  looked_ = now;
  last_.reset();
  counted_ = {};
}

void Silence::add(base::TimePoint now, const std::optional<Glance>& what) {
  const base::Duration passed = std::min(now - looked_, 2 * look_every_);
  const bool starved = what.has_value() && what->would_run && last_.has_value();
  counted_ += starved ? std::min(passed, what->cpu - last_->cpu) : passed;
  looked_ = now;
  last_ = what;
}

}  // namespace weir::process
