#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::weirctl {

// weirctl up: runs both processes in the foreground on a folder of manifests.
struct UpOptions {
  std::string folder;
  std::uint16_t http_port = 8080;
  std::uint16_t https_port = 8443;
  std::uint16_t dashboard_port = 0;  // of this machine only; 0: none
  std::uint16_t admin_port = 10254;  // the dataplane's; the controller's is one higher
  int workers = 0;                   // 0: the CPU quota
  std::string default_ssl_certificate;
  std::string access_log_path;  // empty: standard output; "off": none
  std::string bind_address;     // empty: all
  std::string log_level = "info";
  std::string run_folder;                    // sockets; empty: a fresh one, removed at the end
  std::vector<std::string> controller_args;  // passed on as they are
};

// Returns when a signal has ended both processes (0), or one of them ended by itself (1), or a port
// is taken (2).
int up(const UpOptions& options);

}  // namespace weir::weirctl
