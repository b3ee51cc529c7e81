#pragma once

#include <cstdint>
#include <string>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

// The settings of one feature, opaque to the model: routes name it by key and the feature's own
// filter reads the bytes. Interned: 200,000 routes with equal settings share one. Blob 0: the
// settings struct of common/features as JSON; further blobs are the feature's secrets (never in
// JSON). Every policy is required: a dataplane that does not know (stem, revision) answers 503 on
// its routes and says so in the ack.
struct Policy {
  std::string stem;            // "cors"
  std::uint32_t revision = 1;  // raised when old readers would misread the settings
  std::string hash;            // of the blobs, hex; the resource's key is "stem/hash"
  bool operator==(const Policy&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("stem", &Policy::stem), field("revision", &Policy::revision),
              field("hash", &Policy::hash));
  }
};

}  // namespace weir::model
