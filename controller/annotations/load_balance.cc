#include <array>

#include "common/base/text.h"
#include "common/model/key_template.h"
#include "controller/annotations/numbers.h"

// How endpoints are chosen. Typed settings of route and cluster.

namespace weir::annotations {
namespace {

struct Named {
  std::string_view name;
  model::Balance policy;
};
constexpr std::array<Named, 3> kPolicies = {{{"round_robin", model::Balance::kRoundRobin},
                                             {"least_conn", model::Balance::kLeastConn},
                                             {"ewma", model::Balance::kEwma}}};
// ingress-nginx sets these by other annotations; by themselves they have no key.
constexpr std::array<std::string_view, 4> kDerived = {"chash", "chashsubset", "sticky_balanced",
                                                      "sticky_persistent"};
constexpr std::array<Named, 2> kHashes = {
    {{"ketama", model::Balance::kKetama}, {"maglev", model::Balance::kMaglev}}};

void read_policy(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "load-balance");
  if (!found) return;
  for (const Named& one : kPolicies) {
    if (found->value != one.name) continue;
    out.cluster.balance.policy = one.policy;
    return;
  }
  for (const std::string_view name : kDerived) {
    if (found->value != name) continue;
    report_bad(input, *found,
               "needs upstream-hash-by or affinity, which choose it by themselves; without them "
               "requests take turns",
               out);
    return;
  }
  report_bad(input, *found, "must be round_robin, least_conn or ewma; round_robin is used", out);
}

model::Balance read_algorithm(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "hash-algorithm");
  if (!found) return model::Balance::kKetama;
  for (const Named& one : kHashes) {
    if (found->value == one.name) return one.policy;
  }
  report_bad(input, *found, "must be ketama or maglev; ketama is used", out);
  return model::Balance::kKetama;
}

void read_hash(const FeatureInput& input, FeatureOutput& out) {
  const model::Balance algorithm = read_algorithm(input, out);
  const bool subset = read_bool(input, "upstream-hash-by-subset", false, out);
  const auto size = read_number(input, "upstream-hash-by-subset-size", {1, 1'000},
                                "the default, 3, is used", out);
  const auto found = find(input, "upstream-hash-by");
  if (!found || found->value.empty()) return;
  if (const auto key = model::KeyTemplate::parse(found->value); !key.ok()) {
    report_bad(input, *found, key.error().text + "; requests are not hashed", out);
    return;
  }
  out.hash_on = found->value;
  out.cluster.balance.policy = subset ? model::Balance::kKetamaSubset : algorithm;
  if (subset && size) out.cluster.balance.subset_size = static_cast<std::uint32_t>(*size);
}

void translate_load_balance(const FeatureInput& input, FeatureOutput& out) {
  read_policy(input, out);
  read_hash(input, out);
  if (const auto time = read_duration(input, "slow-start", true, "there is none", out)) {
    out.cluster.balance.slow_start = *time;
  }
  out.cluster.balance.prefer_zone = read_bool(input, "zone-preference", false, out);
  out.cluster.service_upstream = read_bool(input, "service-upstream", false, out);
}

}  // namespace

extern const Feature kLoadBalance;
const Feature kLoadBalance = {
    "load_balance",
    {{.key = "load-balance",
      .aliases = "",
      .scope = Scope::kUpstream,
      .risk = Risk::kLow,
      .value = "round_robin, least_conn or ewma (round_robin)",
      .help = "How an endpoint is chosen."},
     {.key = "upstream-hash-by",
      .aliases = "",
      .scope = Scope::kUpstream,
      .risk = Risk::kHigh,
      .value = "text with variables: $request_uri, $uri, $args, $host, $remote_addr, "
               "$binary_remote_addr, $request_method, $scheme, $server_port, $arg_NAME, "
               "$http_NAME, $cookie_NAME",
      .help = "Equal keys go to one endpoint (consistent hash)."},
     {.key = "upstream-hash-by-subset",
      .aliases = "",
      .scope = Scope::kUpstream,
      .risk = Risk::kLow,
      .value = "true or false (false)",
      .help = "The key chooses a subset of endpoints, chance one of it."},
     {.key = "upstream-hash-by-subset-size",
      .aliases = "",
      .scope = Scope::kUpstream,
      .risk = Risk::kLow,
      .value = "1..1000 (3)",
      .help = "Endpoints of a subset."},
     {.key = "service-upstream",
      .aliases = "",
      .scope = Scope::kUpstream,
      .risk = Risk::kLow,
      .value = "true or false (false)",
      .help = "Sends to the Service's cluster IP instead of its endpoints; not for headless ones."},
     {.key = "hash-algorithm",
      .aliases = "",
      .scope = Scope::kUpstream,
      .risk = Risk::kLow,
      .value = "ketama or maglev (ketama)",
      .help = "How upstream-hash-by places its keys; ketama as ingress-nginx does.",
      .ours = true},
     {.key = "slow-start",
      .aliases = "",
      .scope = Scope::kUpstream,
      .risk = Risk::kLow,
      .value = "a duration, or 0 (0)",
      .help = "A new endpoint comes to its whole share over this time.",
      .ours = true},
     {.key = "zone-preference",
      .aliases = "",
      .scope = Scope::kUpstream,
      .risk = Risk::kLow,
      .value = "true or false (false)",
      .help = "Prefers endpoints of the dataplane's own zone.",
      .ours = true}},
    translate_load_balance};

}  // namespace weir::annotations
