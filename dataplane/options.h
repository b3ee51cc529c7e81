#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "common/base/result.h"

namespace weir {

// The command line of weir-dataplane.
struct Options {
  bool worker = false;  // the worker process; set by the supervisor
  std::string control_socket = "/run/weir/control.sock";
  unsigned workers = 1;
  std::string admin_address = "0.0.0.0";
  std::uint16_t admin_port = 10254;
  std::string dashboard_address = "127.0.0.1";
  std::uint16_t dashboard_port = 0;  // 0: no dashboard
  std::string zone;                  // where this node is; empty: unknown
  std::string dump_socket;           // empty: no dump
  std::string access_log_path;       // empty: standard output
  std::chrono::milliseconds drain_timeout{240'000};
  std::chrono::milliseconds shutdown_delay{0};
  std::uint64_t memory_limit = 0;  // bytes
  base::LogLevel log_level = base::LogLevel::kInfo;
  bool help = false;  // was shown
};

//   errors: kInvalid naming the flag, its value and the accepted form.
base::Result<Options> parse_options(const std::vector<std::string>& argv);

}  // namespace weir
