#include "controller/annotations/secret_ref.h"

#include "common/base/text.h"

namespace weir::annotations {
namespace {

constexpr std::uint64_t kDeepest = 100;

}  // namespace

SecretRef read_secret_ref(const FeatureInput& input, const Found& found) {
  SecretRef out;
  const std::string& own = input.ingress.key.ns;
  const auto parts = base::split(found.value, '/');
  const bool named = parts.size() <= 2 && !parts.front().empty() && !parts.back().empty();
  const std::string ns = parts.size() == 2 ? std::string(parts.front()) : own;
  if (!named) {
    out.problem = "must be \"[namespace/]name\" of a Secret";
  } else if (ns != own) {
    out.problem = "must be a Secret of namespace " + own;
  } else {
    out.secret = input.view.get<store::Secret>(store::Kind::kSecret, ns, parts.back());
    out.name = ns + "/" + std::string(parts.back());
    if (out.secret == nullptr) out.problem = "there is no Secret of that name";
  }
  return out;
}

bool read_switch(const FeatureInput& input, std::string_view key, bool fallback,
                 FeatureOutput& out) {
  const auto found = find(input, key);
  if (!found) return fallback;
  if (found->value == "on") return true;
  if (found->value == "off") return false;
  if (const auto value = parse_bool(found->value)) return *value;
  out.reports.push_back(annotation_report(
      input, kInvalidReason, *found,
      std::string("must be on or off; ") + (fallback ? "on" : "off") + " is used"));
  return fallback;
}

std::uint32_t read_depth(const FeatureInput& input, std::string_view key, FeatureOutput& out) {
  const auto found = find(input, key);
  if (!found) return 1;
  const auto depth = base::parse_uint(found->value);
  if (depth && *depth <= kDeepest) return static_cast<std::uint32_t>(*depth);
  out.reports.push_back(annotation_report(input, kInvalidReason, *found,
                                          "must be a number in 0..100; the default, 1, is used"));
  return 1;
}

}  // namespace weir::annotations
