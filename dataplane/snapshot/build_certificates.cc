#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {
namespace {

// Bytes are not parsed here: that happens at the first handshake that needs them.
std::shared_ptr<const transport::CertificateEntry> make_entry(Draft& draft,
                                                              const model::Resource& resource) {
  auto facts = draft.read<model::Certificate>(resource);
  if (!facts) return nullptr;
  if (resource.blobs.size() < 2) {
    draft.error(resource.key, "has " + std::to_string(resource.blobs.size()) +
                                  " blobs, at least a certificate and its key are needed");
    return nullptr;
  }
  for (const std::string& blob : resource.blobs) {
    if (!blob.empty()) continue;
    draft.error(resource.key, "a certificate or its key is empty");
    return nullptr;
  }
  auto entry = std::make_shared<transport::CertificateEntry>();
  entry->facts = *std::move(facts);
  entry->chain.assign(resource.blobs.begin(), resource.blobs.end() - 1);
  entry->key = resource.blobs.back();
  return entry;
}

}  // namespace

void build_certificates(Draft& draft) {
  transport::CertificateTable& table = draft.next->certificates;
  for (const auto& [name, change] : draft.changes.of(model::ResourceType::kCertificate)) {
    if (change.after == nullptr) {
      table = table.without(name);
    } else if (auto entry = make_entry(draft, *change.after); entry != nullptr) {
      table = table.with(name, std::move(entry));
    }
  }
}

}  // namespace weir::snapshot
