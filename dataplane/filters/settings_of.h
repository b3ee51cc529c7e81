#pragma once

#include "common/base/fields.h"
#include "common/model/resource.h"

namespace weir::filters {

// The settings struct of a policy: its blob 0.
//   errors: kInvalid naming the policy, the field and the accepted form.
template <typename Feature>
base::Result<Feature> settings_of(const model::Resource& policy) {
  if (policy.blobs.empty()) return base::invalid(policy.key.to_string() + ": has no settings");
  auto json = base::Json::parse(policy.blobs[0]);
  if (!json.ok()) return std::move(json).error().within(policy.key.to_string());
  auto settings = base::decode<Feature>(json.value());
  if (!settings.ok()) return std::move(settings).error().within(policy.key.to_string());
  return settings;
}

}  // namespace weir::filters
