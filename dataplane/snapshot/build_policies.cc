#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {

// A policy that cannot be compiled is no error: it is the routes that name it that answer 503, so
// that one bad policy harms nobody else.
void build_policies(Draft& draft) {
  for (const auto& [name, change] : draft.changes.of(model::ResourceType::kPolicy)) {
    if (change.after == nullptr || !draft.read<model::Policy>(*change.after)) continue;
    draft.policies.emplace(name, draft.shop.policies.compile(*change.after));
  }
}

}  // namespace weir::snapshot
