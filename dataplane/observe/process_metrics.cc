#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <fstream>
#include <iterator>

#include "common/base/text.h"
#include "dataplane/observe/metrics.h"

namespace weir::observe {
namespace {

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double number(std::string_view text) {
  return static_cast<double>(base::parse_uint(text).value_or(0));
}

// Value of a "name: number" line of /proc.
double line_value(std::string_view text, std::string_view name) {
  for (const std::string_view line : base::split(text, '\n')) {
    if (line.substr(0, name.size()) == name) return number(base::trim(line.substr(name.size())));
  }
  return 0;
}

// Fields of /proc/self/stat after the command, which may hold blanks (proc(5)); field 3 is at 0.
std::vector<std::string> stat_fields() {
  const std::string text = read_file("/proc/self/stat");
  const std::size_t end = text.rfind(')');
  std::vector<std::string> out;
  if (end == std::string::npos || end + 2 >= text.size()) return out;
  for (const std::string_view part : base::split(std::string_view(text).substr(end + 2), ' ')) {
    out.emplace_back(part);
  }
  return out;
}

struct ProcessFigures {
  double cpu_seconds = 0;
  double start_seconds = 0;
  double virtual_bytes = 0;
};

ProcessFigures read_figures() {
  // Fields of proc(5), counted from 1; the list starts with field 3.
  constexpr std::size_t kUserTime = 14 - 3;
  constexpr std::size_t kSystemTime = 15 - 3;
  constexpr std::size_t kStartTime = 22 - 3;
  constexpr std::size_t kVirtualSize = 23 - 3;
  const auto fields = stat_fields();
  ProcessFigures out;
  if (fields.size() <= kVirtualSize) return out;
  const auto hertz = static_cast<double>(::sysconf(_SC_CLK_TCK));
  out.cpu_seconds = (number(fields[kUserTime]) + number(fields[kSystemTime])) / hertz;
  out.start_seconds =
      line_value(read_file("/proc/stat"), "btime ") + number(fields[kStartTime]) / hertz;
  out.virtual_bytes = number(fields[kVirtualSize]);
  return out;
}

}  // namespace

std::uint64_t resident_bytes() {
  // One descriptor for the process's life: to open the file costs ten times what reading it does,
  // and must not fail when descriptors run out.
  static const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  std::array<char, 128> text;  // seven numbers, proc(5)
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  if (size <= 0) return 0;
  const auto parts =
      base::split(std::string_view(text.data(), static_cast<std::size_t>(size)), ' ');
  if (parts.size() < 2) return 0;
  return base::parse_uint(parts[1]).value_or(0) * static_cast<std::uint64_t>(::getpagesize());
}

ProcessMetrics::ProcessMetrics(std::string version, InstanceLabels instance)
    : version_(std::move(version)), instance_(std::move(instance)) {}

void ProcessMetrics::collect(std::vector<base::Family>& out) const {
  const auto add = [&](std::string name, std::string help, base::MetricType type, double value) {
    out.push_back({"nginx_ingress_controller_nginx_process_" + std::move(name),
                   std::move(help),
                   type,
                   {{instance_.list(), value}},
                   {}});
  };
  const ProcessFigures figures = read_figures();
  const std::string io = read_file("/proc/self/io");
  const auto gauge = base::MetricType::kGauge;
  const auto counter = base::MetricType::kCounter;
  add("cpu_seconds_total", "Cpu usage in seconds", counter, figures.cpu_seconds);
  add("num_procs", "number of processes", gauge, 1);
  add("oldest_start_time_seconds", "start time in seconds since 1970/01/01", gauge,
      figures.start_seconds);
  add("read_bytes_total", "number of bytes read", counter, line_value(io, "rchar:"));
  add("write_bytes_total", "number of bytes written", counter, line_value(io, "wchar:"));
  add("resident_memory_bytes", "number of bytes of memory in use", gauge,
      static_cast<double>(resident_bytes()));
  add("virtual_memory_bytes", "number of bytes of memory in use", gauge, figures.virtual_bytes);
  base::MetricLabels build = instance_.list();
  build.emplace_back("release", version_);
  build.emplace_back("build", version_);
  build.emplace_back("repository", "weir");
  out.push_back({"nginx_ingress_controller_build_info",
                 "A metric with a constant '1' labeled with information about the build.",
                 gauge,
                 {{std::move(build), 1}},
                 {}});
}

}  // namespace weir::observe
