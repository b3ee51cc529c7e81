#pragma once

#include <cstdint>
#include <string>

#include "common/base/flags.h"
#include "common/base/result.h"
#include "controller/ingress/config.h"

namespace weir::admin {

// What the dataplane bears of its clients, as it is typed. Defaults are those of model::Settings.
struct DefenceOptions {
  std::uint32_t max_connections = 0;  // 0: from the dataplane's limit of descriptors
  std::uint32_t connections_per_address = 0;
  std::uint32_t new_connections_per_address = 0;  // a second
  std::uint32_t keep_alive_requests = 0;
  std::string keep_alive_timeout;
  std::string tls_handshake_timeout;
  std::string client_header_timeout;
  std::string client_body_timeout;
  std::uint32_t min_body_rate = model::Settings().min_body_rate;
  std::uint32_t min_drain_rate = model::Settings().min_drain_rate;
  std::uint16_t limit_rate_status = 503;
  std::uint16_t limit_connections_status = 503;
};

void add_defence_flags(base::Flags& flags, DefenceOptions& options);

//   errors: kInvalid naming the flag, its value and the accepted form.
base::Result<void> apply(const DefenceOptions& options, ingress::Config& config);

}  // namespace weir::admin
