#include "dataplane/filters/verdict_cache.h"

namespace weir::filters {

std::optional<bool> VerdictCache::find(const std::string& key, base::TimePoint now) {
  const auto at = verdicts_.find(key);
  if (at == verdicts_.end()) return std::nullopt;
  if (at->second.until > now) return at->second.right;
  verdicts_.erase(at);
  return std::nullopt;
}

void VerdictCache::store(const std::string& key, bool right, base::TimePoint now) {
  if (verdicts_.size() >= kMost) verdicts_.clear();
  verdicts_[key] = {right, now + kLifetime};
}

}  // namespace weir::filters
