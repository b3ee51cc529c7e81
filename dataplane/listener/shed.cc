#include "dataplane/listener/shed.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace weir::listener {
namespace {

constexpr std::size_t kLeastBatch = 16;
constexpr std::size_t kBatchPart = 64;
constexpr auto kShortestWait = std::chrono::seconds(1);

}  // namespace

std::size_t shed_batch(const ConnectionHome& home) {
  return std::max(kLeastBatch, home.count / kBatchPart);
}

std::size_t shed_waiting(ConnectionHome& home, std::size_t most, const char* why) {
  const base::TimePoint latest = home.context.worker.loop().now() - kShortestWait;
  std::vector<std::pair<base::TimePoint, Connection*>> waiting;
  for (Connection* at = home.first; at != nullptr; at = at->next()) {
    const auto since = at->waits_since();
    if (since && (at->idle() || *since <= latest)) waiting.emplace_back(*since, at);
  }
  const std::size_t count = std::min(most, waiting.size());
  const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(waiting.begin(), end, waiting.end());
  for (auto at = waiting.begin(); at != end; ++at)
    at->second->close(why, transport::Farewell::kAtOnce);
  return count;
}

}  // namespace weir::listener
