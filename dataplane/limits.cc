#include "dataplane/limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <thread>

#include "common/base/text.h"

namespace weir {
namespace {

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

// The path of this process's cgroup for a v1 controller, or for v2 when controller is empty
// (cgroups(7): "hierarchy:controllers:path").
std::optional<std::string> cgroup_path(const std::string& root, std::string_view controller) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto parts = base::split(line, ':');
    if (parts.size() != 3) continue;
    const auto names = base::split(parts[1], ',');
    if (std::find(names.begin(), names.end(), controller) != names.end()) {
      return std::string(parts[2]);
    }
  }
  return std::nullopt;
}

// One file of the cgroup; inside a container the path of /proc is often that of the host, and the
// files are at the mount's own root.
std::optional<std::string> cgroup_file(const std::string& root, std::string_view controller,
                                       const std::string& name) {
  const std::string mount =
      root + "/sys/fs/cgroup" + (controller.empty() ? "" : "/" + std::string(controller));
  if (const auto path = cgroup_path(root, controller)) {
    if (auto line = first_line(mount + *path + "/" + name)) return line;
  }
  return first_line(mount + "/" + name);
}

unsigned rounded_up(std::uint64_t quota, std::uint64_t period) {
  return static_cast<unsigned>(std::max<std::uint64_t>(1, (quota + period - 1) / period));
}

// Numbers so large that the kernel means "none".
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;

}  // namespace

unsigned cpu_quota(const std::string& root) {
  if (const auto v2 = cgroup_file(root, "", "cpu.max")) {
    const auto parts = base::split(*v2, ' ');  // "150000 100000" or "max 100000"
    const auto quota = base::parse_uint(parts[0]);
    const auto period = parts.size() == 2 ? base::parse_uint(parts[1]) : std::nullopt;
    if (quota && period && *period > 0) return rounded_up(*quota, *period);
  }
  const auto quota = cgroup_file(root, "cpu", "cpu.cfs_quota_us");
  const auto period = cgroup_file(root, "cpu", "cpu.cfs_period_us");
  if (quota && period) {
    const auto quota_us = base::parse_uint(*quota);  // "-1": none
    const auto period_us = base::parse_uint(*period);
    if (quota_us && period_us && *period_us > 0) return rounded_up(*quota_us, *period_us);
  }
  return std::max(1U, std::thread::hardware_concurrency());
}

std::uint64_t memory_limit(const std::string& root) {
  for (const auto& [controller, name] :
       {std::pair("", "memory.max"), std::pair("memory", "memory.limit_in_bytes")}) {
    const auto line = cgroup_file(root, controller, name);
    const auto bytes = line ? base::parse_uint(*line) : std::nullopt;  // "max": none
    if (bytes && *bytes > 0 && *bytes < kNoLimit) return *bytes;
  }
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 4 * 3;
}

std::uint64_t raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace weir
