#include "dataplane/options.h"

#include <cstdlib>

#include "common/base/flags.h"
#include "common/base/text.h"
#include "dataplane/limits.h"

namespace weir {
namespace {

// Flags as they are typed.
struct Typed {
  int workers = 0;
  std::string drain_timeout = "240s";
  std::string shutdown_delay = "0";
  std::string memory_limit;
  std::string log_level = "info";
};

void declare(base::Flags& flags, Options& options, Typed& typed) {
  flags.add("worker", options.worker, "run the worker process (the supervisor sets this)")
      .add("control-socket", options.control_socket, "Unix socket that the controller dials")
      .add("workers", typed.workers, "worker threads; 0: the CPU quota, rounded up")
      .add("admin-address", options.admin_address, "IP address of health and metrics")
      .add("admin-port", options.admin_port, "port of health and metrics")
      .add("dashboard-address", options.dashboard_address, "IP address of the dashboard")
      .add("dashboard-port", options.dashboard_port, "port of the dashboard; 0: none")
      .add("dump-socket", options.dump_socket, "Unix socket that shows the live configuration")
      .add("access-log-path", options.access_log_path, "file of the access log; empty: stdout")
      .add("drain-timeout", typed.drain_timeout, "longest wait for open connections at the end")
      .add("shutdown-delay", typed.shutdown_delay, "time to go on accepting after SIGTERM")
      .add("zone", options.zone, "zone of this node, for zone preference; empty: NODE_ZONE")
      .add("memory-limit", typed.memory_limit, "bytes for buffers; empty: the cgroup's limit")
      .add("log-level", typed.log_level, "debug, info, warn or error");
}

base::Result<std::chrono::milliseconds> duration(const char* flag, const std::string& text) {
  if (text == "0" || text == "0s") return std::chrono::milliseconds(0);
  auto parsed = base::parse_duration(text);
  if (!parsed.ok()) return std::move(parsed).error().within(flag);
  return parsed;
}

base::Result<void> convert(const Typed& typed, Options& options) {
  if (typed.workers < 0 || typed.workers > 1'024) {
    return base::invalid("--workers: " + std::to_string(typed.workers) + " is not in 0..1024");
  }
  options.workers = typed.workers == 0 ? cpu_quota() : static_cast<unsigned>(typed.workers);
  const auto drain = duration("--drain-timeout", typed.drain_timeout);
  if (!drain.ok()) return drain.error();
  options.drain_timeout = drain.value();
  const auto delay = duration("--shutdown-delay", typed.shutdown_delay);
  if (!delay.ok()) return delay.error();
  options.shutdown_delay = delay.value();
  const auto bytes = base::parse_uint(typed.memory_limit);
  if (!typed.memory_limit.empty() && (!bytes || *bytes == 0)) {
    return base::invalid("--memory-limit: '" + typed.memory_limit + "' is not a number of bytes");
  }
  if (const char* zone = std::getenv("NODE_ZONE"); options.zone.empty() && zone != nullptr) {
    options.zone = zone;
  }
  options.memory_limit = bytes ? *bytes : memory_limit();
  if (!base::parse_log_level(typed.log_level, options.log_level)) {
    return base::invalid("--log-level: '" + typed.log_level +
                         "' is not one of debug, info, warn, error");
  }
  return {};
}

}  // namespace

base::Result<Options> parse_options(const std::vector<std::string>& argv) {
  Options options;
  Typed typed;
  base::Flags flags("weir-dataplane", "Weir's proxy: serves what weir-controller tells it.");
  declare(flags, options, typed);
  const auto parsed = flags.parse(argv);
  if (!parsed.ok()) return parsed.error();
  options.help = parsed.value() == base::Flags::Outcome::kShownHelp;
  if (const auto converted = convert(typed, options); !converted.ok()) return converted.error();
  return options;
}

}  // namespace weir
