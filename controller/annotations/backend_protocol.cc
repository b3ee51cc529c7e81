#include <array>

#include "common/base/text.h"
#include "controller/annotations/reader.h"

// What the backend speaks. Typed settings of the cluster: no policy, no filter.

namespace weir::annotations {
namespace {

constexpr std::uint32_t kMostStreams = 10'000;

struct Protocol {
  std::string_view name;
  model::UpstreamProtocol protocol;
  bool tls;
};
constexpr std::array<Protocol, 4> kProtocols = {{
    {"HTTP", model::UpstreamProtocol::kHttp1, false},
    {"HTTPS", model::UpstreamProtocol::kHttp1, true},
    {"GRPC", model::UpstreamProtocol::kHttp2, false},
    {"GRPCS", model::UpstreamProtocol::kHttp2, true},
}};
// Of ingress-nginx, and nothing that we could speak instead would reach the backend.
constexpr std::array<std::string_view, 2> kRefused = {"AUTO_HTTP", "FCGI"};

void read_protocol(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "backend-protocol");
  if (!found) return;
  for (const Protocol& one : kProtocols) {
    if (!base::equals_ignore_case(found->value, one.name)) continue;
    out.cluster.protocol = one.protocol;
    out.cluster.protocol_chosen = true;
    out.cluster.tls.enabled = one.tls;
    return;
  }
  for (const std::string_view name : kRefused) {
    if (!base::equals_ignore_case(found->value, name)) continue;
    deny(input, *found, "is not supported; must be HTTP, HTTPS, GRPC or GRPCS", out);
    return;
  }
  out.reports.push_back(annotation_report(input, kInvalidReason, *found,
                                          "must be HTTP, HTTPS, GRPC or GRPCS; what the Service's "
                                          "appProtocol says is used, else HTTP"));
}

void read_max_streams(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "max-streams");
  if (!found) return;
  const auto count = base::parse_uint(found->value);
  if (count && *count >= 1 && *count <= kMostStreams) {
    out.cluster.max_streams = static_cast<std::uint32_t>(*count);
    return;
  }
  out.reports.push_back(annotation_report(
      input, kInvalidReason, *found, "must be a number in 1..10000; the default, 100, is used"));
}

void translate_backend_protocol(const FeatureInput& input, FeatureOutput& out) {
  read_protocol(input, out);
  read_max_streams(input, out);
}

}  // namespace

extern const Feature kBackendProtocol;
const Feature kBackendProtocol = {
    "backend_protocol",
    {{.key = "backend-protocol",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "HTTP, HTTPS, GRPC or GRPCS, any case (what appProtocol says, else HTTP)",
      .help = "What the backend speaks: HTTP/1.1 or HTTP/2 (GRPC), and over TLS with S."},
     {.key = "max-streams",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "1..10000 (100)",
      .help = "Most requests at once on one HTTP/2 connection to the backend.",
      .ours = true}},
    translate_backend_protocol};

}  // namespace weir::annotations
