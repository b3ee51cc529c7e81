#include "controller/annotations/numbers.h"

// What a cluster may have going on at once; over it requests answer 503. Typed settings of the
// cluster.

namespace weir::annotations {
namespace {

constexpr std::uint64_t kMost = 1'000'000;

void read(const FeatureInput& input, std::string_view key, std::uint32_t& into,
          FeatureOutput& out) {
  const auto most = read_number(input, key, {0, kMost}, "there is no limit", out);
  if (most) into = static_cast<std::uint32_t>(*most);
}

void translate_circuit_limits(const FeatureInput& input, FeatureOutput& out) {
  read(input, "max-connections", out.cluster.limits.max_connections, out);
  read(input, "max-requests", out.cluster.limits.max_requests, out);
  read(input, "max-pending", out.cluster.limits.max_pending, out);
}

Row row(std::string_view key, std::string_view help) {
  return {.key = key,
          .aliases = "",
          .scope = Scope::kUpstream,
          .risk = Risk::kLow,
          .value = "0..1000000, 0: no limit (0)",
          .help = help,
          .ours = true};
}

}  // namespace

extern const Feature kCircuitLimits;
const Feature kCircuitLimits = {
    "circuit_limits",
    {row("max-connections", "Most connections to all endpoints of the backend, else 503."),
     row("max-requests", "Most requests in flight at the backend, else 503."),
     row("max-pending", "Most requests that wait for a connection to the backend, else 503.")},
    translate_circuit_limits};

}  // namespace weir::annotations
