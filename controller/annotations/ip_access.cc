#include "common/features/ip_access.h"

#include "controller/annotations/address_list.h"

// Which client addresses are served. A list that cannot be read closes the paths.

namespace weir::annotations {
namespace {

void read_list(const FeatureInput& input, std::initializer_list<std::string_view> keys,
               std::vector<std::string>& into, FeatureOutput& out) {
  const auto found = find_first(input, keys);
  if (!found) return;
  auto list = parse_addresses(found->value);
  if (!list.ok()) return deny(input, *found, std::string(kAddressesForm), out);
  into = std::move(list).value();
}

void translate_ip_access(const FeatureInput& input, FeatureOutput& out) {
  features::IpAccess settings;
  read_list(input, {"allowlist-source-range", "whitelist-source-range"}, settings.allow, out);
  read_list(input, {"denylist-source-range"}, settings.deny, out);
  if (settings == features::IpAccess()) return;
  out.policies.push_back(make_policy_of(settings));
}

}  // namespace

extern const Feature kIpAccess;
const Feature kIpAccess = {
    features::IpAccess::kStem,
    {{.key = "allowlist-source-range",
      .aliases = "whitelist-source-range",
      .scope = Scope::kPath,
      .risk = Risk::kHigh,
      .value = "addresses and ranges separated by ','",
      .help = "Serves only these client addresses; others get 403."},
     {.key = "denylist-source-range",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kHigh,
      .value = "addresses and ranges separated by ','",
      .help = "Answers these client addresses with 403; looked at before the allow list."}},
    translate_ip_access};

}  // namespace weir::annotations
