#include "controller/policies/setting_rules.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/cidr.h"
#include "common/base/text.h"

namespace weir::policies {
namespace {

constexpr std::int64_t kDay = 86'400'000;  // what a flag's duration may be at most
constexpr std::int64_t kMostSources = 1'000;
// What buckets of the dataplane hold at once (dataplane/shared/rate_table.h), at five seconds'
// worth.
constexpr std::int64_t kMostNewConnections = 200'000;
constexpr std::string_view kTracesPath = "/v1/traces";

SettingRule time(std::string_view path, std::string_view flag, std::string_view help,
                 std::int64_t least = 1) {
  return {.path = path, .flag = flag, .help = help, .least = least, .most = kDay};
}

SettingRule sources(std::string_view path, std::string_view flag, std::string_view help) {
  return {.path = path,
          .flag = flag,
          .help = help,
          .least = 0,
          .most = kMostSources,
          .form = Form::kAddresses};
}

std::vector<SettingRule> connection_rules() {
  return {
      time("tls_handshake_timeout_ms", "tls-handshake-timeout", "time for a whole handshake"),
      time("client_header_timeout_ms", "client-header-timeout", "time for a whole request head"),
      time("client_body_timeout_ms", "client-body-timeout",
           "longest time between two parts of a body"),
      // A shorter one would take every pause between two packets for a client that is too slow.
      time("rate_window_ms", "", "time over which the rate of a request body is judged", 1'000),
      {"min_body_rate", "min-body-rate",
       "bytes a second below which a request body is given up; 0: no limit"},
      {"min_drain_rate", "min-drain-rate",
       "bytes a second below which a client that takes its response is given up; 0: none"},
      time("keep_alive_timeout_ms", "keep-alive-timeout", "how long a connection may be idle"),
      {"keep_alive_requests", "keep-alive-requests",
       "requests on one client connection; 0: no limit"},
      {"max_head_bytes", "", "bytes of a request line and its header; more are answered 431", 1'024,
       1'048'576},
      {"max_fields", "", "fields of a request header; more are answered 431", 10, 1'000},
      {"max_target_bytes", "", "bytes of a request target; more are answered 414", 256, 1'048'576},
      {"max_connections", "max-connections",
       "client connections of a dataplane at a time; 0: from its limit of descriptors"},
      {"connections_per_address", "connections-per-address",
       "connections of one client address at a time; more are closed at accept; 0: no limit"},
      {"new_connections_per_address", "new-connections-per-address",
       "new connections of one client address a second, five times that at once; more are closed "
       "at accept; 0: no limit",
       0, kMostNewConnections},
      {"http2", "use-http2", "HTTP/2 to clients, beside HTTP/1.1"},
      {"http2_streams", "http2-max-concurrent-streams",
       "requests of one HTTP/2 connection at a time, 1 to 65535", 1, 65'535},
      {"access_log", "disable-access-log", "write the access log"},
      {"server_header", "", "say \"Server: weir\" in responses"},
  };
}

std::vector<SettingRule> client_rules() {
  return {
      sources("client_address.proxy_protocol_sources", "proxy-protocol-trusted-cidrs",
              "sources of PROXY headers, where listeners take them (--use-proxy-protocol)"),
      time("client_address.proxy_protocol_timeout_ms", "proxy-protocol-header-timeout",
           "longest wait for a whole PROXY header"),
      sources("client_address.forwarded_sources", "proxy-real-ip-cidr",
              "sources whose forwarding fields count; none: those of nobody"),
      {"client_address.use_forwarded_headers", "use-forwarded-headers",
       "believe X-Forwarded-For, -Proto, -Host and -Port of trusted sources"},
      {"client_address.append_forwarded_for", "compute-full-forwarded-for",
       "append to a trusted X-Forwarded-For instead of replacing it"},
      {"client_address.forwarded_for_header", "forwarded-for-header",
       "field in which trusted sources name the client", 1, 64, Form::kFieldName},
  };
}

std::vector<SettingRule> tracing_rules() {
  return {
      {"tracing.collector", "otlp-collector-url",
       "OpenTelemetry collector that gets spans by OTLP over HTTP; empty: none are made", 0, 2'048,
       Form::kCollector},
      {"tracing.sample_per_million", "otel-sampler-ratio",
       "of a million traces that begin here, those of which spans are sent", 0, 1'000'000},
      {"tracing.trust_parent", "opentelemetry-trust-incoming-span",
       "go on with the trace that a client's traceparent names, and sample as it says"},
      {"tracing.service", "otel-service-name", "service.name of the spans", 1, 256},
  };
}

std::int64_t characters(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

bool in(const SettingRule& rule, std::int64_t value) {
  return value >= rule.least && value <= rule.most;
}

bool is_field_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_collector(std::string_view text) {
  if (text.empty()) return true;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view rest = text.substr(scheme.size());
    return !rest.empty() && rest.front() != '/' &&
           rest.find_first_of(" \t\r\n@") == std::string_view::npos;
  }
  return false;
}

template <typename Struct>
void find_broken(const Struct& value, const std::string& path, std::optional<BrokenRule>& out) {
  each_setting<Struct>([&](const auto& field) {
    const auto& member = value.*(field.member);
    const std::string here = join_path(path, field.name);
    if constexpr (base::Fielded<std::decay_t<decltype(member)>>) {
      find_broken(member, here, out);
    } else if (const SettingRule& rule = setting_rule(here); !out && !keeps(rule, member)) {
      out = BrokenRule{&rule, value_text(member), accepted_form(rule, member)};
    }
  });
}

}  // namespace

const std::vector<SettingRule>& setting_rules() {
  static const std::vector<SettingRule> rules = [] {
    std::vector<SettingRule> out = connection_rules();
    for (const auto& more : {client_rules(), tracing_rules()})
      out.insert(out.end(), more.begin(), more.end());
    return out;
  }();
  return rules;
}

const SettingRule& setting_rule(std::string_view path) {
  const auto& rules = setting_rules();
  const auto found = std::find_if(rules.begin(), rules.end(),
                                  [path](const SettingRule& one) { return one.path == path; });
  WEIR_CHECK(found != rules.end());
  return *found;
}

std::string setting_help(std::string_view path) { return std::string(setting_rule(path).help); }

std::string setting_name(std::string_view field) {
  for (const std::string_view unit : {"_ms", "_s"}) {
    if (field.ends_with(unit)) field.remove_suffix(unit.size());
  }
  std::string out;
  bool capital = false;
  for (const char c : field) {
    if (c == '_') {
      capital = true;
    } else {
      out += std::exchange(capital, false) && c >= 'a' && c <= 'z'
                 ? static_cast<char>(c - 'a' + 'A')
                 : c;
    }
  }
  return out;
}

std::string time_text(std::chrono::milliseconds time) {
  return time.count() % 1'000 == 0 ? std::to_string(time.count() / 1'000) + "s"
                                   : std::to_string(time.count()) + "ms";
}

std::string value_text(bool value) { return value ? "true" : "false"; }
std::string value_text(std::uint32_t value) { return std::to_string(value); }
std::string value_text(std::chrono::milliseconds value) { return time_text(value); }
std::string value_text(const std::string& value) { return value; }
std::string value_text(const std::vector<std::string>& value) { return base::join(value, ","); }

std::string collector_url(std::string url) {
  if (url.empty() || !is_collector(url)) return url;
  const bool has_path = url.find('/', url.find("//") + 2) != std::string::npos;
  if (!has_path) url += kTracesPath;
  return url;
}

std::string accepted_form(const SettingRule&, bool) { return "true or false"; }

std::string accepted_form(const SettingRule& rule, std::uint32_t) {
  return "a number from " + std::to_string(rule.least) + " to " + std::to_string(rule.most);
}

std::string accepted_form(const SettingRule& rule, std::chrono::milliseconds) {
  return "a whole number with ms, s, m or h, " + time_text(std::chrono::milliseconds(rule.least)) +
         " to 24h";
}

std::string accepted_form(const SettingRule& rule, const std::string&) {
  if (rule.form == Form::kFieldName) return "the name of a header field";
  if (rule.form == Form::kCollector)
    return "an http or https URL such as http://otel-collector.observe:4318";
  return "a text of " + std::to_string(rule.least) + " to " + std::to_string(rule.most) +
         " characters";
}

std::string accepted_form(const SettingRule& rule, const std::vector<std::string>&) {
  return "at most " + std::to_string(rule.most) + " IP addresses and CIDRs";
}

bool keeps(const SettingRule&, bool) { return true; }

bool keeps(const SettingRule& rule, std::uint32_t value) { return in(rule, value); }

bool keeps(const SettingRule& rule, std::chrono::milliseconds value) {
  return in(rule, value.count());
}

bool keeps(const SettingRule& rule, const std::string& value) {
  if (!in(rule, characters(value))) return false;
  if (rule.form == Form::kFieldName) return is_field_name(value);
  return rule.form != Form::kCollector || is_collector(value);
}

bool keeps(const SettingRule& rule, const std::vector<std::string>& value) {
  return in(rule, static_cast<std::int64_t>(value.size())) && base::CidrSet::parse(value).ok();
}

std::optional<BrokenRule> first_broken_rule(const model::Settings& settings) {
  std::optional<BrokenRule> out;
  find_broken(settings, "", out);
  return out;
}

}  // namespace weir::policies
