#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {
namespace {

constexpr std::size_t kTicketKeyBytes = 80;  // 16 name, 32 HMAC, 32 AES

bool check_keys(Draft& draft, const model::Resource& resource, const model::TicketKeys& keys) {
  if (keys.count != resource.blobs.size()) {
    draft.error(resource.key, "count: " + std::to_string(keys.count) + " keys are announced, " +
                                  std::to_string(resource.blobs.size()) + " came");
    return false;
  }
  for (const std::string& blob : resource.blobs) {
    if (blob.size() == kTicketKeyBytes) continue;
    draft.error(resource.key, "a ticket key has " + std::to_string(blob.size()) +
                                  " bytes, it must have " + std::to_string(kTicketKeyBytes));
    return false;
  }
  return true;
}

}  // namespace

void build_ticket_keys(Draft& draft) {
  for (const auto& [name, change] : draft.changes.of(model::ResourceType::kTicketKeys)) {
    transport::TicketKeySet set;
    if (change.after != nullptr) {
      const auto keys = draft.read<model::TicketKeys>(*change.after);
      if (!keys || !check_keys(draft, *change.after, *keys)) continue;
      set.keys = change.after->blobs;
    }
    draft.next->tickets = std::move(set);
  }
}

}  // namespace weir::snapshot
