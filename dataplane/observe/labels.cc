#include "dataplane/observe/labels.h"

#include "common/base/hash.h"

namespace weir::observe {

std::size_t Labels::HashContent::operator()(const LabelSet* set) const {
  std::uint64_t hash = base::process_seed();
  const model::RouteLabels& route = set->route;
  for (const std::string* part :
       {&set->host, &route.ns, &route.ingress, &route.service, &route.path}) {
    hash = base::hash_bytes(*part, hash);
  }
  return hash;
}

Labels::Labels(std::size_t most) : most_(most) {
  LabelSet other;
  other.host = other.route.ns = other.route.ingress = other.route.service = "_other";
  other.route.path = "_other";
  other_ = std::make_shared<const LabelSet>(std::move(other));
}

std::uint32_t Labels::intern(const std::string& host, const model::RouteLabels& labels) {
  auto set = std::make_shared<const LabelSet>(LabelSet{host, labels});
  const std::lock_guard lock(mutex_);
  const auto known = ids_.find(set.get());
  if (known != ids_.end()) {
    ++entries_[known->second].uses;
    return known->second;
  }
  if (entries_.size() >= most_) {
    overflows_.fetch_add(1, std::memory_order_relaxed);
    return kOther;
  }
  const std::uint32_t id = next_++;
  ids_.emplace(set.get(), id);
  entries_.emplace(id, Entry{std::move(set), 1});
  return id;
}

void Labels::release(std::uint32_t id) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(id);
  if (at == entries_.end() || --at->second.uses > 0) return;
  ids_.erase(at->second.set.get());
  entries_.erase(at);
}

std::shared_ptr<const LabelSet> Labels::find(std::uint32_t id) const {
  if (id == kOther) return other_;
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(id);
  return at == entries_.end() ? nullptr : at->second.set;
}

std::optional<bool> Labels::try_gone(std::uint32_t id) const {
  if (id == kOther) return false;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return std::nullopt;
  return entries_.count(id) == 0;
}

std::size_t Labels::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace weir::observe
