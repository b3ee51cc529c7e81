#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {
namespace {

// Bytes are not parsed here: that happens at the first handshake that needs them, which fails when
// they are bad.
std::shared_ptr<const transport::TrustEntry> make_entry(Draft& draft,
                                                        const model::Resource& resource) {
  const auto trust = draft.read<model::Trust>(resource);
  if (!trust) return nullptr;
  const std::size_t announced = std::size_t{trust->certificates} + trust->crls;
  if (trust->certificates == 0 || announced != resource.blobs.size()) {
    draft.error(resource.key, "certificates: " + std::to_string(trust->certificates) +
                                  " and crls: " + std::to_string(trust->crls) +
                                  " are announced (at least one certificate is needed), " +
                                  std::to_string(resource.blobs.size()) + " blobs came");
    return nullptr;
  }
  auto entry = std::make_shared<transport::TrustEntry>();
  const auto crls = resource.blobs.begin() + static_cast<std::ptrdiff_t>(trust->certificates);
  entry->certificates.assign(resource.blobs.begin(), crls);
  entry->crls.assign(crls, resource.blobs.end());
  entry->hash = resource.hash;
  return entry;
}

}  // namespace

void build_trusts(Draft& draft) {
  transport::TrustTable& table = draft.next->trusts;
  for (const auto& [name, change] : draft.changes.of(model::ResourceType::kTrust)) {
    if (change.after == nullptr) {
      table = table.without(name);
    } else if (auto entry = make_entry(draft, *change.after); entry != nullptr) {
      table = table.with(name, std::move(entry));
    }
  }
}

}  // namespace weir::snapshot
