#include "dataplane/observe/labels.h"

namespace weir::observe {
namespace {

std::string key_of(const std::string& host, const model::RouteLabels& labels) {
  std::string key;
  for (const std::string* part : {&host, &labels.ns, &labels.ingress, &labels.service}) {
    key += *part;
    key += '\0';
  }
  return key + labels.path;
}

}  // namespace

Labels::Labels(std::size_t most) : most_(most) {
  LabelSet other;
  other.host = other.route.ns = other.route.ingress = other.route.service = "_other";
  other.route.path = "_other";
  other_ = std::make_shared<const LabelSet>(std::move(other));
}

std::uint32_t Labels::intern(const std::string& host, const model::RouteLabels& labels) {
  std::string key = key_of(host, labels);
  const std::lock_guard lock(mutex_);
  const auto known = ids_.find(key);
  if (known != ids_.end()) {
    ++entries_[known->second].uses;
    return known->second;
  }
  if (entries_.size() >= most_) {
    overflows_.fetch_add(1, std::memory_order_relaxed);
    return kOther;
  }
  const std::uint32_t id = next_++;
  Entry& entry = entries_[id];
  entry.set = std::make_shared<const LabelSet>(LabelSet{host, labels});
  entry.uses = 1;
  entry.key = &ids_.emplace(std::move(key), id).first->first;
  return id;
}

void Labels::release(std::uint32_t id) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(id);
  if (at == entries_.end() || --at->second.uses > 0) return;
  ids_.erase(ids_.find(*at->second.key));
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
