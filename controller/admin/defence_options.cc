#include "controller/admin/defence_options.h"

#include "common/base/text.h"
#include "controller/admin/flag_checks.h"
#include "controller/policies/setting_rules.h"

namespace weir::admin {
namespace {

base::Result<void> read_duration(std::string_view flag, const std::string& text,
                                 std::chrono::milliseconds& into) {
  if (text.empty()) return {};
  const auto parsed = base::parse_duration(text);
  if (!parsed.ok()) return base::Error(parsed.error()).within("--" + std::string(flag));
  into = parsed.value();
  return {};
}

base::Result<void> check_status(std::string_view flag, std::uint16_t status) {
  if (status >= 400 && status <= 599) return {};
  return bad_flag(flag, std::to_string(status), "a status from 400 to 599");
}

}  // namespace

void add_defence_flags(base::Flags& flags, DefenceOptions& o) {
  using policies::setting_help;
  const model::Settings defaults;
  const auto time_help = [](std::string_view path, std::chrono::milliseconds time) {
    return setting_help(path) + "; " + policies::time_text(time);
  };
  flags.add("max-connections", o.max_connections, setting_help("max_connections"))
      .add("connections-per-address", o.connections_per_address,
           setting_help("connections_per_address"))
      .add("new-connections-per-address", o.new_connections_per_address,
           setting_help("new_connections_per_address"))
      .add("keep-alive-requests", o.keep_alive_requests, setting_help("keep_alive_requests"))
      .add("keep-alive-timeout", o.keep_alive_timeout,
           time_help("keep_alive_timeout_ms", defaults.keep_alive_timeout))
      .add("tls-handshake-timeout", o.tls_handshake_timeout,
           time_help("tls_handshake_timeout_ms", defaults.tls_handshake_timeout))
      .add("client-header-timeout", o.client_header_timeout,
           time_help("client_header_timeout_ms", defaults.client_header_timeout))
      .add("client-body-timeout", o.client_body_timeout,
           time_help("client_body_timeout_ms", defaults.client_body_timeout))
      .add("min-body-rate", o.min_body_rate, setting_help("min_body_rate"))
      .add("min-drain-rate", o.min_drain_rate, setting_help("min_drain_rate"))
      .add("limit-req-status-code", o.limit_rate_status, "status over limit-rps and limit-rpm")
      .add("limit-conn-status-code", o.limit_connections_status, "status over limit-connections");
}

base::Result<void> apply(const DefenceOptions& o, ingress::Config& config) {
  model::Settings& settings = config.settings;
  settings.max_connections = o.max_connections;
  settings.connections_per_address = o.connections_per_address;
  settings.new_connections_per_address = o.new_connections_per_address;
  settings.keep_alive_requests = o.keep_alive_requests;
  settings.min_body_rate = o.min_body_rate;
  settings.min_drain_rate = o.min_drain_rate;
  config.annotations.limit_rate_status = o.limit_rate_status;
  config.annotations.limit_connections_status = o.limit_connections_status;
  for (const auto& [flag, text, into] :
       {std::tuple{"keep-alive-timeout", &o.keep_alive_timeout, &settings.keep_alive_timeout},
        std::tuple{"tls-handshake-timeout", &o.tls_handshake_timeout,
                   &settings.tls_handshake_timeout},
        std::tuple{"client-header-timeout", &o.client_header_timeout,
                   &settings.client_header_timeout},
        std::tuple{"client-body-timeout", &o.client_body_timeout, &settings.client_body_timeout}}) {
    if (auto read = read_duration(flag, *text, *into); !read.ok()) return read;
  }
  if (auto good = check_status("limit-req-status-code", o.limit_rate_status); !good.ok()) {
    return good;
  }
  return check_status("limit-conn-status-code", o.limit_connections_status);
}

}  // namespace weir::admin
