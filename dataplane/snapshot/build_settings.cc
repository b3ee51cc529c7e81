#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {

// There is one settings resource, "default"; without it the defaults hold.
void build_settings(Draft& draft) {
  for (const auto& [name, change] : draft.changes.of(model::ResourceType::kSettings)) {
    model::Settings settings;
    if (change.after != nullptr) {
      auto read = draft.read<model::Settings>(*change.after);
      if (!read) continue;
      if (name != settings.name) {
        draft.error(change.after->key, "settings have one name, '" + settings.name + "'");
        continue;
      }
      settings = *std::move(read);
    }
    draft.next->limits.head_bytes = settings.max_head_bytes;
    draft.next->limits.fields = settings.max_fields;
    draft.next->limits.target_bytes = settings.max_target_bytes;
    draft.next->settings = std::move(settings);
  }
}

}  // namespace weir::snapshot
