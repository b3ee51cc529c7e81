#include "controller/admin/stream_options.h"

#include "common/base/cidr.h"
#include "common/base/text.h"
#include "controller/admin/flag_checks.h"
#include "controller/policies/setting_rules.h"

namespace weir::admin {
namespace {

constexpr std::uint16_t kDataplaneAdminPort = 10254;

base::Result<std::vector<std::string>> cidrs(std::string_view flag, const std::string& text) {
  std::vector<std::string> out;
  for (const std::string_view part : base::split(text, ',')) {
    const std::string one(base::trim(part));
    if (one.empty()) continue;
    if (!base::Cidr::parse(one).ok())
      return bad_flag(flag, text, "IP addresses and CIDRs separated by ','");
    out.push_back(one);
  }
  return out;
}

base::Result<void> set_duration(std::string_view flag, const std::string& text,
                                std::chrono::milliseconds& out) {
  const auto parsed = base::parse_duration(text);
  if (!parsed.ok()) return bad_flag(flag, text, "a duration like 30, 30s, 5m or 250ms");
  out = parsed.value();
  return {};
}

base::Result<void> set_client_address(const Options& o, model::ClientAddress& out) {
  auto forwarded = cidrs("proxy-real-ip-cidr", o.proxy_real_ip_cidr);
  if (!forwarded.ok()) return std::move(forwarded).error();
  auto proxy = cidrs("proxy-protocol-trusted-cidrs", o.proxy_protocol_trusted_cidrs);
  if (!proxy.ok()) return std::move(proxy).error();
  const bool relayed = o.use_proxy_protocol || !o.tcp_services_configmap.empty();
  if (relayed)
    out.proxy_protocol_sources = proxy.value().empty() ? forwarded.value() : proxy.value();
  // Everybody, the default, counts only with --use-forwarded-headers: a WeirSettings object that
  // turns the fields on without saying whose believes those that the flag names, else nobody.
  const bool named = o.proxy_real_ip_cidr != Options().proxy_real_ip_cidr;
  if (o.use_forwarded_headers || named) out.forwarded_sources = std::move(forwarded).value();
  out.use_forwarded_headers = o.use_forwarded_headers;
  out.append_forwarded_for = o.compute_full_forwarded_for;
  out.forwarded_for_header = o.forwarded_for_header;
  return set_duration("proxy-protocol-header-timeout", o.proxy_protocol_header_timeout,
                      out.proxy_protocol_timeout);
}

}  // namespace

void add_stream_flags(base::Flags& flags, Options& o) {
  flags
      .add("enable-ssl-passthrough", o.enable_ssl_passthrough,
           "honour the annotation ssl-passthrough")
      .add("tcp-services-configmap", o.tcp_services_configmap,
           "NAMESPACE/NAME of the ConfigMap of TCP services")
      .add("udp-services-configmap", o.udp_services_configmap,
           "NAMESPACE/NAME of the ConfigMap of UDP services")
      .add("proxy-stream-timeout", o.proxy_stream_timeout,
           "longest silence of a TCP or UDP stream; 0: no bound")
      .add("proxy-stream-responses", o.proxy_stream_responses,
           "answers that a UDP datagram has; 0: any number")
      .add("proxy-stream-next-upstream-tries", o.proxy_stream_next_upstream_tries,
           "endpoints tried for one TCP stream")
      .add("use-proxy-protocol", o.use_proxy_protocol,
           "HTTP and HTTPS clients of trusted sources begin with a PROXY header")
      .add("proxy-protocol-trusted-cidrs", o.proxy_protocol_trusted_cidrs,
           "sources of PROXY headers, separated by ','; empty: --proxy-real-ip-cidr")
      .add("proxy-protocol-header-timeout", o.proxy_protocol_header_timeout,
           policies::setting_help("client_address.proxy_protocol_timeout_ms"))
      .add("use-forwarded-headers", o.use_forwarded_headers,
           policies::setting_help("client_address.use_forwarded_headers"))
      .add("compute-full-forwarded-for", o.compute_full_forwarded_for,
           policies::setting_help("client_address.append_forwarded_for"))
      .add("forwarded-for-header", o.forwarded_for_header,
           policies::setting_help("client_address.forwarded_for_header"))
      .add("proxy-real-ip-cidr", o.proxy_real_ip_cidr, "trusted sources, separated by ','");
}

base::Result<void> set_streams(const Options& o, ingress::Config& config) {
  for (const auto& [flag, value] : {std::pair<std::string_view, const std::string&>{
                                        "tcp-services-configmap", o.tcp_services_configmap},
                                    {"udp-services-configmap", o.udp_services_configmap}}) {
    if (auto checked = check_pair(flag, value); !checked.ok()) return checked;
  }
  config.proxy_protocol = o.use_proxy_protocol;
  config.ssl_passthrough = o.enable_ssl_passthrough;
  config.tcp_services = o.tcp_services_configmap;
  config.udp_services = o.udp_services_configmap;
  config.stream.responses = o.proxy_stream_responses;
  config.stream.tries = o.proxy_stream_next_upstream_tries;
  const auto& binds = config.http_binds.empty() ? config.https_binds : config.http_binds;
  for (const model::Bind& bind : binds) config.stream_addresses.push_back(bind.address);
  config.reserved_ports = {o.http_port, o.https_port, o.admin_port, kDataplaneAdminPort};
  auto set =
      set_duration("proxy-stream-timeout", o.proxy_stream_timeout, config.stream.idle_timeout);
  return set.ok() ? set_client_address(o, config.settings.client_address) : std::move(set);
}

}  // namespace weir::admin
