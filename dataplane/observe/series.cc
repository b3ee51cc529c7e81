#include "dataplane/observe/series.h"

#include <algorithm>
#include <cstddef>

#include "common/base/hash.h"
#include "common/base/prefetch.h"

namespace weir::observe {

std::uint8_t method_index(std::string_view method) {
  for (std::uint8_t i = 0; i + 1U < kMethods.size(); ++i) {
    if (kMethods[i] == method) return i;
  }
  return static_cast<std::uint8_t>(kMethods.size() - 1);
}

void Series::count(const ExchangeRecord& record) {
  requests.add(1);
  durations.observe(kRequest, kDurationBounds, nanos(record.request_time));
  if (record.upstream_status != 0) {
    durations.observe(kResponse, kDurationBounds, nanos(record.upstream_time));
    durations.observe(kHeader, kDurationBounds, nanos(record.upstream_header));
  }
  if (!record.upstream.empty()) {
    durations.observe(kConnect, kDurationBounds, nanos(record.upstream_connect));
  }
  sizes.observe(kRequestSize, kSizeBounds, record.request_bytes);
  sizes.observe(kResponseSize, kSizeBounds, record.response_body_bytes);
  bytes_sent.observe(0, kBytesBounds, record.response_bytes);
}

void Series::clear() {
  requests.clear();
  durations.clear();
  sizes.clear();
  bytes_sent.clear();
}

void Series::fetch() const {
  __builtin_prefetch(&sizes, 1);
  __builtin_prefetch(&durations, 1);
  base::prefetch(&key, sizeof(Series) - offsetof(Series, key));
}

SeriesTable::SeriesTable(const Labels& labels, std::size_t most)
    : labels_(labels), most_(most), all_(new std::atomic<Series*>[most + 1]()) {
  std::size_t slots = 64;
  while (slots < (most + 1) * 2) slots *= 2;
  index_.resize(slots);
}

SeriesTable::~SeriesTable() {
  for (std::size_t i = 0; i < size(); ++i) delete all_[i].load(std::memory_order_relaxed);
}

std::size_t SeriesTable::slot_of(std::uint64_t key) const {
  const std::size_t mask = index_.size() - 1;
  std::size_t at = base::mix64(key, 0x9e3779b97f4a7c15ULL ^ base::process_seed()) & mask;
  while (index_[at].series != nullptr && index_[at].key != key) at = (at + 1) & mask;
  return at;
}

void SeriesTable::fetch(const SeriesKey& key) const {
  const Series* series = index_[slot_of(key.packed())].series;
  if (series != nullptr) series->fetch();
}

Series& SeriesTable::at(const SeriesKey& key) {
  const std::uint64_t packed = key.packed();
  const Slot& found = slot(packed);
  if (found.series != nullptr) return *found.series;
  if (size_.load(std::memory_order_relaxed) < most_ || !free_.empty()) {
    if (until_look_ == 0) purge();
    --until_look_;
    return make(packed);
  }
  if (until_purge_ == 0) {
    if (purge()) return make(packed);
    until_purge_ = kPurgeEvery;
  }
  --until_purge_;
  const SeriesKey other{Labels::kOther, 0, method_index("")};
  const Slot& rest = slot(other.packed());
  // One place beyond `most` is kept for this one.
  return rest.series != nullptr ? *rest.series : make(other.packed());
}

Series& SeriesTable::make(std::uint64_t key) {
  if (!free_.empty()) {
    const std::uint32_t place = free_.back();
    free_.pop_back();
    Series& series = *all_[place].load(std::memory_order_relaxed);
    series.clear();
    series.key.store(key, std::memory_order_release);
    slot(key) = {key, &series};
    return series;
  }
  const std::size_t place = size_.load(std::memory_order_relaxed);
  auto* series = new Series;
  series->key.store(key, std::memory_order_relaxed);
  all_[place].store(series, std::memory_order_release);
  slot(key) = {key, series};
  size_.store(place + 1, std::memory_order_release);
  return *series;
}

// Builds the index anew without the series whose labels are gone.
bool SeriesTable::purge() {
  std::vector<std::uint32_t> alive;
  std::vector<std::uint32_t> dead;
  for (std::uint32_t place = 0; place < size_.load(std::memory_order_relaxed); ++place) {
    const std::uint64_t key =
        all_[place].load(std::memory_order_relaxed)->key.load(std::memory_order_relaxed);
    const auto gone = labels_.try_gone(SeriesKey::unpack(key).labels);
    (gone.value_or(false) ? dead : alive).push_back(place);
  }
  until_look_ = std::max(kLeastMade, alive.size());
  if (dead.empty()) return false;
  std::fill(index_.begin(), index_.end(), Slot{});
  // Key 0 has no labels: the scraper passes it over, and no request has it.
  for (const std::uint32_t place : dead) {
    all_[place].load(std::memory_order_relaxed)->key.store(0, std::memory_order_release);
  }
  for (const std::uint32_t place : alive) {
    Series* const series = all_[place].load(std::memory_order_relaxed);
    const std::uint64_t key = series->key.load(std::memory_order_relaxed);
    slot(key) = {key, series};
  }
  free_ = std::move(dead);
  return true;
}

}  // namespace weir::observe
