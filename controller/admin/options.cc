#include "controller/admin/options.h"

#include <unistd.h>

#include <algorithm>

#include "common/base/ip.h"
#include "common/base/text.h"
#include "controller/admin/flag_checks.h"
#include "controller/admin/stream_options.h"
#include "controller/policies/setting_rules.h"

namespace weir::admin {
namespace {

bool has_ipv6() { return ::access("/proc/net/if_inet6", R_OK) == 0; }

base::Result<std::vector<model::Bind>> binds(const std::string& addresses, std::uint16_t port) {
  std::vector<model::Bind> out;
  if (port == 0) return out;
  if (addresses.empty()) {
    out.push_back(model::Bind{"0.0.0.0", port});
    if (has_ipv6()) out.push_back(model::Bind{"::", port});  // V6ONLY in the dataplane
    return out;
  }
  for (const std::string_view part : base::split(addresses, ',')) {
    const std::string address(base::trim(part));
    if (!base::is_ip_literal(address)) {
      return bad_flag("bind-address", addresses, "IP literals separated by ','");
    }
    out.push_back(model::Bind{address, port});
  }
  return out;
}

base::Result<void> set_ticket_period(const Options& o, ingress::Config& config) {
  const auto period = base::parse_duration(o.ticket_keys_period);
  if (!period.ok() || period.value() < std::chrono::seconds(10)) {
    return bad_flag("ticket-keys-period", o.ticket_keys_period, "10s to 24h");
  }
  config.ticket_period = std::chrono::duration_cast<std::chrono::seconds>(period.value());
  return {};
}

void add_serving_flags(base::Flags& flags, Options& o) {
  flags.add("http-port", o.http_port, "port for plain HTTP; 0: none")
      .add("https-port", o.https_port, "port for HTTPS; 0: none")
      .add("public-http-port", o.public_http_port,
           "port that clients use for HTTP, where a Service maps it")
      .add("public-https-port", o.public_https_port,
           "port that clients use for HTTPS: redirects name it")
      .add("bind-address", o.bind_address,
           "IP addresses to listen on, separated by ','; empty: all")
      .add("controller-class", o.controller_class,
           "spec.controller of the IngressClasses that are served")
      .add("ingress-class", o.ingress_class, "value of kubernetes.io/ingress.class that is served")
      .add("ingress-class-by-name", o.ingress_class_by_name,
           "serve IngressClasses of that name, whatever their spec.controller")
      .add("watch-ingress-without-class", o.watch_ingress_without_class,
           "serve Ingresses that name no class")
      .add("disable-catch-all", o.disable_catch_all,
           "ignore Ingresses with a default backend or host-less rules")
      .add("default-backend-service", o.default_backend_service,
           "NAMESPACE/NAME of the Service for requests that nothing takes")
      .add("default-ssl-certificate", o.default_ssl_certificate,
           "NAMESPACE/NAME of the Secret served without a better match")
      .add(
          "ticket-keys-secret", o.ticket_keys_secret,
          "NAMESPACE/NAME of the Secret in which replicas share their TLS session ticket keys; the "
          "leader writes them")
      .add("ticket-keys-period", o.ticket_keys_period,
           "time between two rotations of the ticket keys, 10s to 24h")
      .add("settings", o.settings,
           "NAMESPACE/NAME of the WeirSettings whose fields go before flags; empty: none")
      .add("annotations-prefix", o.annotations_prefix,
           "prefix of the annotations that are honoured")
      .add("disable-access-log", o.disable_access_log, "no access log")
      .add("use-http2", o.use_http2, policies::setting_help("http2"))
      .add("http2-max-concurrent-streams", o.http2_max_concurrent_streams,
           policies::setting_help("http2_streams"));
}

void add_status_flags(base::Flags& flags, Options& o) {
  flags
      .add("publish-service", o.publish_service,
           "NAMESPACE/NAME of the Service whose addresses go into the status")
      .add("publish-status-address", o.publish_status_address,
           "address for the status; may be repeated or separated by ','")
      .add("no-update-status", o.no_update_status, "never write the status of Ingresses")
      .add("election-id", o.election_id, "name of the Lease by which replicas choose their leader")
      .add("pod-name", o.pod_name, "identity in the Lease; empty: the host's name")
      .add("pod-namespace", o.pod_namespace,
           "namespace of the Lease; empty: the service account's");
}

}  // namespace

void add_flags(base::Flags& flags, Options& o) {
  flags.add("manifests,f", o.manifests, "folder of manifests to serve instead of a cluster")
      .add("kubeconfig", o.kubeconfig, "kubeconfig file; empty: in-cluster")
      .add("context", o.context, "context of the kubeconfig; empty: its current one")
      .add("apiserver-host", o.api_server,
           "URL of the API server, instead of the kubeconfig's or the pod's")
      .add("watch-namespace", o.watch_namespaces, "namespace to watch; may be repeated; none: all")
      .add("control-socket", o.control_socket, "Unix socket of the dataplane")
      .add("admin-address", o.admin_address, "IP address of health and metrics")
      .add("admin-port", o.admin_port, "port of health and metrics; 0: none")
      .add("log-level", o.log_level, "debug, info, warn or error")
      .add("guard", o.guard,
           "run under a parent process that starts the controller again when it dies or hangs; for "
           "containers");
  add_serving_flags(flags, o);
  add_stream_flags(flags, o);
  add_defence_flags(flags, o.defence);
  add_tracing_flags(flags, o.tracing);
  add_status_flags(flags, o);
  add_peers_flags(flags, o.peers);
}

base::Result<ingress::Config> ingress_config(const Options& o) {
  ingress::Config config;
  for (const auto& [flag, value] : {std::pair<std::string_view, const std::string&>{
                                        "default-backend-service", o.default_backend_service},
                                    {"default-ssl-certificate", o.default_ssl_certificate},
                                    {"ticket-keys-secret", o.ticket_keys_secret},
                                    {"settings", o.settings},
                                    {"publish-service", o.publish_service}}) {
    if (auto checked = check_pair(flag, value); !checked.ok()) return std::move(checked).error();
  }
  auto http = binds(o.bind_address, o.http_port);
  if (!http.ok()) return std::move(http).error();
  auto https = binds(o.bind_address, o.https_port);
  if (!https.ok()) return std::move(https).error();
  if (o.http_port == o.https_port && o.http_port != 0) {
    return bad_flag("https-port", std::to_string(o.https_port), "another port than --http-port");
  }
  config.controller_class = o.controller_class;
  config.ingress_class = o.ingress_class;
  config.ingress_class_by_name = o.ingress_class_by_name;
  config.watch_without_class = o.watch_ingress_without_class;
  config.disable_catch_all = o.disable_catch_all;
  config.default_backend_service = o.default_backend_service;
  config.default_ssl_certificate = o.default_ssl_certificate;
  config.ticket_keys_secret = o.ticket_keys_secret;
  config.settings_object = o.settings;
  if (auto set = set_ticket_period(o, config); !set.ok()) return std::move(set).error();
  config.allow_loopback_endpoints = !o.manifests.empty();
  config.http_binds = std::move(http).value();
  config.https_binds = std::move(https).value();
  config.http_public_port = o.public_http_port != 0 ? o.public_http_port : o.http_port;
  config.https_public_port = o.public_https_port != 0 ? o.public_https_port : o.https_port;
  config.annotations.prefix = o.annotations_prefix;
  config.settings.access_log = !o.disable_access_log;
  config.settings.http2 = o.use_http2;
  config.settings.http2_streams = o.http2_max_concurrent_streams;
  if (auto set = set_streams(o, config); !set.ok()) return std::move(set).error();
  if (auto applied = apply(o.defence, config); !applied.ok()) return std::move(applied).error();
  if (auto applied = apply(o.tracing, config); !applied.ok()) return std::move(applied).error();
  if (const auto broken = policies::first_broken_rule(config.settings))
    return bad_flag(broken->rule->flag, broken->value, broken->accepted);
  if (auto peers = peers_settings(o.peers); !peers.ok()) return std::move(peers).error();
  return config;
}

std::optional<store::ObjectKey> settings_apart(const Options& o) {
  const ingress::NamePair name = ingress::split_name(o.settings);
  const auto& watched = o.watch_namespaces;
  if (name.name.empty() || watched.empty() || !o.manifests.empty()) return std::nullopt;
  if (std::find(watched.begin(), watched.end(), name.ns) != watched.end()) return std::nullopt;
  return store::ObjectKey{store::Kind::kWeirSettings, name.ns, name.name};
}

}  // namespace weir::admin
