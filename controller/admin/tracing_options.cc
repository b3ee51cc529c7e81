#include "controller/admin/tracing_options.h"

#include <cmath>
#include <cstdlib>

#include "common/base/text.h"
#include "controller/admin/flag_checks.h"

namespace weir::admin {
namespace {

constexpr std::string_view kPath = "/v1/traces";  // OTLP's default

base::Result<std::string> collector_url(const std::string& text) {
  if (text.empty()) return text;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const std::string rest = text.substr(scheme.size());
    const std::size_t slash = rest.find('/');
    const bool blank = rest.find_first_of(" \t\r\n@") != std::string::npos;
    if (rest.empty() || slash == 0 || blank) break;
    return slash == std::string::npos ? text + std::string(kPath) : text;
  }
  return bad_flag("otlp-collector-url", text,
                  "an http or https URL such as http://otel-collector.observe:4318");
}

}  // namespace

void add_tracing_flags(base::Flags& flags, TracingOptions& o) {
  flags
      .add("otlp-collector-url", o.collector_url,
           "OpenTelemetry collector that gets spans by OTLP over HTTP; empty: none are made")
      .add("otel-sampler-ratio", o.sampler_ratio,
           "share of the traces that begin here of which spans are sent, 0 to 1")
      .add("otel-service-name", o.service_name, "service.name of the spans")
      .add("opentelemetry-trust-incoming-span", o.trust_incoming_span,
           "go on with the trace that a client's traceparent names, and sample as it says")
      .add("debug-key-secret", o.debug_key_secret,
           "NAMESPACE/NAME of the Secret whose key named key signs requests that want their "
           "decisions told (Weir-Debug); empty: nobody is told");
}

base::Result<void> apply(const TracingOptions& o, ingress::Config& config) {
  model::Tracing& tracing = config.settings.tracing;
  auto url = collector_url(o.collector_url);
  if (!url.ok()) return std::move(url).error();
  tracing.collector = std::move(url).value();
  char* end = nullptr;
  const double ratio = std::strtod(o.sampler_ratio.c_str(), &end);
  const bool whole = !o.sampler_ratio.empty() && *end == '\0';
  if (!whole || !(ratio >= 0 && ratio <= 1))
    return bad_flag("otel-sampler-ratio", o.sampler_ratio, "a number from 0 to 1");
  tracing.sample_per_million = static_cast<std::uint32_t>(std::lround(ratio * 1e6));
  if (o.service_name.empty())
    return bad_flag("otel-service-name", o.service_name, "a name that is not empty");
  tracing.service = o.service_name;
  tracing.trust_parent = o.trust_incoming_span;
  if (auto good = check_pair("debug-key-secret", o.debug_key_secret); !good.ok()) return good;
  config.debug_key_secret = o.debug_key_secret;
  return {};
}

}  // namespace weir::admin
