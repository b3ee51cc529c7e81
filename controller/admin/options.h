#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/flags.h"
#include "common/base/result.h"
#include "controller/admin/defence_options.h"
#include "controller/admin/peers_options.h"
#include "controller/admin/tracing_options.h"
#include "controller/ingress/config.h"

namespace weir::admin {

// The controller's flags, with ingress-nginx's names where it has them.
struct Options {
  // Where objects come from: a folder, else the API server (--kubeconfig, else in-cluster).
  std::string manifests;
  std::string kubeconfig;
  std::string context;
  std::string api_server;
  std::vector<std::string> watch_namespaces;

  std::string control_socket = "/run/weir/control.sock";
  std::string admin_address = "0.0.0.0";
  std::uint16_t admin_port = 10255;
  std::string log_level = "info";
  bool guard = false;  // a parent process starts the controller again when it dies or hangs

  std::string bind_address;  // comma-separated IP literals; empty: 0.0.0.0 and, where it exists, ::
  std::uint16_t http_port = 80;
  std::uint16_t https_port = 443;
  std::uint16_t public_http_port = 0;   // 0: http_port
  std::uint16_t public_https_port = 0;  // 0: https_port
  std::string controller_class = "weir.ingress/controller";
  std::string ingress_class = "weir";
  bool ingress_class_by_name = false;
  bool watch_ingress_without_class = false;
  bool disable_catch_all = false;
  std::string default_backend_service;
  std::string default_ssl_certificate;
  std::string ticket_keys_secret;
  std::string ticket_keys_period = "1h";
  std::string settings;  // "namespace/name" of the WeirSettings over the flags; may be empty
  std::string annotations_prefix = std::string(annotations::kDefaultPrefix);
  bool disable_access_log = false;
  bool enable_ssl_passthrough = false;
  std::string tcp_services_configmap;
  std::string udp_services_configmap;
  std::string proxy_stream_timeout = "600s";
  std::uint32_t proxy_stream_responses = 1;
  std::uint32_t proxy_stream_next_upstream_tries = 3;
  // Whom to believe about who a client is.
  bool use_proxy_protocol = false;
  std::string proxy_protocol_trusted_cidrs;  // empty: proxy_real_ip_cidr
  std::string proxy_protocol_header_timeout = "5s";
  bool use_forwarded_headers = false;
  bool compute_full_forwarded_for = false;
  std::string forwarded_for_header = "X-Forwarded-For";
  std::string proxy_real_ip_cidr = "0.0.0.0/0,::/0";
  bool use_http2 = true;
  std::uint32_t http2_max_concurrent_streams = 128;  // 1..65535
  DefenceOptions defence;
  TracingOptions tracing;
  PeersOptions peers;

  std::string publish_service;
  std::vector<std::string> publish_status_address;
  bool no_update_status = false;
  std::string election_id = "weir-leader";
  std::string pod_name;       // identity of the lease; empty: the host's name
  std::string pod_namespace;  // of the lease; empty: the account's namespace
};

void add_flags(base::Flags& flags, Options& options);

// Checks values and turns them into the translator's configuration (without certificate and ticket
// keys).
//   errors: kInvalid naming the flag, its value and the accepted form.
base::Result<ingress::Config> ingress_config(const Options& options);

// The WeirSettings object of --settings when it stands in a namespace that is not watched: then it
// must be followed by its name (publish::Pipeline::follow).
std::optional<store::ObjectKey> settings_apart(const Options& options);

}  // namespace weir::admin
