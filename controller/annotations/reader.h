#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controller/annotations/row.h"

namespace weir::annotations {

// An annotation as it stands on an Ingress.
struct Found {
  std::string key;    // whole: "nginx.ingress.kubernetes.io/ssl-redirect"
  std::string value;  // blanks at both ends of each line removed
};

// Looks for key (without prefix) under "weir.ingress" first, then under the configured prefix.
// Empty when absent.
std::optional<Found> find(const FeatureInput& input, std::string_view key);

// true and false as Go's ParseBool takes them: 1 t T TRUE true True 0 f F FALSE false False.
std::optional<bool> parse_bool(std::string_view text);

// The annotation as a bool; absent gives the fallback, and so does a bad value, with a report.
bool read_bool(const FeatureInput& input, std::string_view key, bool fallback, FeatureOutput& out);

// A report on this annotation. text: the accepted form and what happens meanwhile. value: pass an
// empty one for what must not be repeated.
translate::Report annotation_report(const FeatureInput& input, std::string_view reason,
                                    const Found& found, std::string text);
// The same for a value that is not of an accepted form, told to the owner.
void report_bad(const FeatureInput& input, const Found& found, std::string text,
                FeatureOutput& out);

// A security setting that cannot be honoured: the route answers 503 and the owner is told. The
// first reason stays.
void deny(const FeatureInput& input, const Found& found, std::string text, FeatureOutput& out);

// The interned policy of a settings struct of common/features.
template <typename Settings>
model::ResourcePtr make_policy_of(const Settings& settings, std::vector<std::string> secrets = {}) {
  return model::make_policy(Settings::kStem, Settings::kRevision,
                            base::encode(settings).to_string(), std::move(secrets));
}

inline constexpr std::string_view kInvalidReason = "AnnotationInvalid";

}  // namespace weir::annotations
