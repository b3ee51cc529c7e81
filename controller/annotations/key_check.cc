#include "controller/annotations/key_check.h"

#include <set>

#include "common/base/text.h"
#include "controller/annotations/known_keys.h"
#include "controller/annotations/reader.h"

namespace weir::annotations {
namespace {

std::set<std::string_view> make_supported() {
  std::set<std::string_view> keys;
  for (const Feature* feature : features()) {
    for (const Row& row : feature->rows) {
      keys.insert(row.key);
      for (const std::string_view alias : base::split(row.aliases, ','))
        if (!alias.empty()) keys.insert(alias);
    }
  }
  return keys;
}

bool is_supported(std::string_view key) {
  static const std::set<std::string_view> keys = make_supported();
  return keys.contains(key);
}

// The key behind one of our prefixes; empty when it stands under neither.
std::string_view own_key(const FeatureInput& input, std::string_view whole) {
  for (const std::string_view prefix : {kOwnPrefix, std::string_view(input.defaults.prefix)}) {
    if (whole.size() > prefix.size() && whole.starts_with(prefix) && whole[prefix.size()] == '/')
      return whole.substr(prefix.size() + 1);
  }
  return {};
}

void check_key(const FeatureInput& input, std::string_view key, const Found& found,
               FeatureOutput& out) {
  const KnownKey* known = known_key(key);
  if (known != nullptr && known->restricts) {
    std::string text = "is not supported yet and restricts access; remove it to open these paths";
    if (out.deny_reason.empty()) out.deny_reason = found.key + ": " + text;
    text += "; until then they answer 503";
    out.reports.push_back(
        annotation_report(input, "AnnotationUnsupported", found, std::move(text)));
    return;
  }
  if (known != nullptr) {
    out.reports.push_back(annotation_report(input, "AnnotationUnsupported", found,
                                            "is not supported yet and has no effect"));
    return;
  }
  std::string text = "is no annotation that Weir knows and has no effect";
  const std::string_view hint = removed_key_hint(key);
  if (!hint.empty()) text += "; " + std::string(hint);
  out.reports.push_back(annotation_report(input, "AnnotationUnknown", found, std::move(text)));
}

}  // namespace

void check_keys(const FeatureInput& input, FeatureOutput& out) {
  for (const auto& [whole, value] : input.ingress.annotations) {
    const std::string_view key = own_key(input, whole);
    if (!key.empty() && !is_supported(key)) check_key(input, key, Found{whole, value}, out);
  }
}

}  // namespace weir::annotations
