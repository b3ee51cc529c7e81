#include "controller/admin/tracing_options.h"

#include <cmath>
#include <cstdlib>

#include "controller/admin/flag_checks.h"
#include "controller/policies/setting_rules.h"

namespace weir::admin {

void add_tracing_flags(base::Flags& flags, TracingOptions& o) {
  flags.add("otlp-collector-url", o.collector_url, policies::setting_help("tracing.collector"))
      .add("otel-sampler-ratio", o.sampler_ratio,
           "share of the traces that begin here of which spans are sent, 0 to 1")
      .add("otel-service-name", o.service_name, policies::setting_help("tracing.service"))
      .add("opentelemetry-trust-incoming-span", o.trust_incoming_span,
           policies::setting_help("tracing.trust_parent"))
      .add("debug-key-secret", o.debug_key_secret,
           "NAMESPACE/NAME of the Secret whose key named key signs requests that want their "
           "decisions told (Weir-Debug); empty: nobody is told");
}

base::Result<void> apply(const TracingOptions& o, ingress::Config& config) {
  model::Tracing& tracing = config.settings.tracing;
  tracing.collector = policies::collector_url(o.collector_url);
  char* end = nullptr;
  const double ratio = std::strtod(o.sampler_ratio.c_str(), &end);
  const bool whole = !o.sampler_ratio.empty() && *end == '\0';
  if (!whole || !(ratio >= 0 && ratio <= 1))
    return bad_flag("otel-sampler-ratio", o.sampler_ratio, "a number from 0 to 1");
  tracing.sample_per_million = static_cast<std::uint32_t>(std::lround(ratio * 1e6));
  tracing.service = o.service_name;
  tracing.trust_parent = o.trust_incoming_span;
  if (auto good = check_pair("debug-key-secret", o.debug_key_secret); !good.ok()) return good;
  config.debug_key_secret = o.debug_key_secret;
  return {};
}

}  // namespace weir::admin
