#include "dataplane/observe/streams.h"

#include <map>

namespace weir::observe {

StreamTable::~StreamTable() {
  for (auto& place : places_) delete place.load(std::memory_order_relaxed);
}

StreamCounters& StreamTable::at(std::string_view listener) {
  for (std::size_t i = 0; i < kMost; ++i) {
    Entry* entry = places_[i].load(std::memory_order_relaxed);
    if (entry == nullptr) {
      entry = new Entry{i + 1 < kMost ? std::string(listener) : "_other", {}};
      places_[i].store(entry, std::memory_order_release);
    }
    if (entry->listener == listener || i + 1 == kMost) return entry->counters;
  }
  return places_.back().load(std::memory_order_relaxed)->counters;
}

void StreamMetrics::collect(std::vector<base::Family>& out) const {
  using base::MetricType;
  const auto add = [&](const char* name, const char* help, MetricType type,
                       Counter StreamCounters::* member) {
    std::map<std::string, double> sums;
    for (const StreamTable* table : tables_) {
      table->each([&](const StreamTable::Entry& entry) {
        sums[entry.listener] += static_cast<double>((entry.counters.*member).read());
      });
    }
    base::Family family{name, help, type, {}, {}};
    for (const auto& [listener, sum] : sums) {
      family.samples.push_back({{{"listener", listener}}, sum});
    }
    out.push_back(std::move(family));
  };
  add("weir_stream_connections_total",
      "Connections and UDP flows that a listener took below HTTP, passed-through TLS included.",
      MetricType::kCounter, &StreamCounters::accepted);
  add("weir_stream_active", "Of these, open now.", MetricType::kGauge, &StreamCounters::active);
  add("weir_stream_failed_total", "Of these, ended because no backend could be had.",
      MetricType::kCounter, &StreamCounters::failed);
  add("weir_stream_received_bytes_total", "Bytes from clients below HTTP.", MetricType::kCounter,
      &StreamCounters::received);
  add("weir_stream_sent_bytes_total", "Bytes to clients below HTTP.", MetricType::kCounter,
      &StreamCounters::sent);
}

}  // namespace weir::observe
