#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {

// There is one settings resource, "default"; without it the defaults hold.
void build_settings(Draft& draft) {
  for (const auto& [name, change] : draft.changes.of(model::ResourceType::kSettings)) {
    model::Settings settings;
    std::string debug_key;
    if (change.after != nullptr) {
      auto read = draft.read<model::Settings>(*change.after);
      if (!read) continue;
      if (name != settings.name) {
        draft.error(change.after->key, "settings have one name, '" + settings.name + "'");
        continue;
      }
      settings = *std::move(read);
      if (!change.after->blobs.empty()) debug_key = change.after->blobs.front();
    }
    const model::ClientAddress& client = settings.client_address;
    auto proxy = base::CidrSet::parse(client.proxy_protocol_sources);
    auto forwarded = base::CidrSet::parse(client.forwarded_sources);
    for (const auto* one : {&proxy, &forwarded}) {
      if (one->ok()) continue;
      draft.error({model::ResourceType::kSettings, name}, "client_address: " + one->error().text);
    }
    if (!proxy.ok() || !forwarded.ok()) continue;
    draft.next->proxy_sources = std::move(proxy).value();
    draft.next->forwarded_sources = std::move(forwarded).value();
    draft.next->limits.head_bytes = settings.max_head_bytes;
    draft.next->limits.fields = settings.max_fields;
    draft.next->limits.target_bytes = settings.max_target_bytes;
    draft.next->traces = !debug_key.empty() || !settings.tracing.collector.empty();
    draft.next->debug_key = std::move(debug_key);
    draft.next->settings = std::move(settings);
  }
}

}  // namespace weir::snapshot
