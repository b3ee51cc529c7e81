#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/persistent_map.h"

namespace weir::transport {

// Whom to believe, as it came: bytes until a handshake first needs them. Immutable, shared by all
// workers and snapshots.
struct TrustEntry {
  std::vector<std::string> certificates;  // DER
  std::vector<std::string> crls;          // DER
  std::string hash;                       // of the content: another one is another trust
};
using TrustPtr = std::shared_ptr<const TrustEntry>;
using TrustTable = base::PersistentMap<TrustEntry>;  // by name

}  // namespace weir::transport
