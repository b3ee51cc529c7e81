#include "dataplane/exchange/snapshot.h"

#include "common/base/check.h"

namespace weir::exchange {

transport::ClientPolicyPtr client_policy_of(const Snapshot& snapshot, const model::Host* host) {
  if (host == nullptr || !host->client_tls) return nullptr;
  const model::ClientTls& rule = *host->client_tls;
  if (rule.mode == model::ClientCertificateMode::kOff) return nullptr;
  return std::make_shared<const transport::ClientPolicy>(
      transport::ClientPolicy{rule, snapshot.trusts.share(rule.trust)});
}

// One published snapshot as one worker sees it. Dies with its last worker-local reference; only
// that touches the shared counter.
struct SnapshotRef::Generation {
  std::shared_ptr<const Snapshot> snapshot;
  std::size_t refs = 0;
};

SnapshotRef::SnapshotRef(Generation* generation) : generation_(generation) { ++generation_->refs; }

SnapshotRef::SnapshotRef(const SnapshotRef& other) : generation_(other.generation_) {
  if (generation_ != nullptr) ++generation_->refs;
}

SnapshotRef::~SnapshotRef() {
  if (generation_ != nullptr && --generation_->refs == 0) delete generation_;
}

const Snapshot* SnapshotRef::operator->() const { return &**this; }

const Snapshot& SnapshotRef::operator*() const {
  WEIR_CHECK(generation_ != nullptr);
  return *generation_->snapshot;
}

LiveSnapshot::LiveSnapshot() { replace(std::make_shared<const Snapshot>()); }

void LiveSnapshot::replace(std::shared_ptr<const Snapshot> next) {
  WEIR_CHECK(next != nullptr);
  current_ = SnapshotRef(new SnapshotRef::Generation{std::move(next)});
}

}  // namespace weir::exchange
