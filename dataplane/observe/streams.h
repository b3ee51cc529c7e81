#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/metrics.h"
#include "dataplane/observe/counters.h"

namespace weir::observe {

// The numbers of what one listener passes on below HTTP: connections of TCP and passed-through TLS,
// flows of UDP. Written by its worker, read by any thread.
struct StreamCounters {
  Counter accepted;
  Counter active;    // a gauge
  Counter failed;    // no backend could be had
  Counter received;  // bytes from clients
  Counter sent;      // bytes to clients
};

// The counters of one worker by listener, made at first use and kept; the last place counts for all
// that do not fit, "_other". at() belongs to the worker, each() to any thread.
class StreamTable {
 public:
  static constexpr std::size_t kMost = 256;

  ~StreamTable();
  StreamCounters& at(std::string_view listener);

  struct Entry {
    std::string listener;
    StreamCounters counters;
  };
  // Calls visit(entry) for each listener that is known.
  template <typename Visit>
  void each(Visit&& visit) const {
    for (const auto& place : places_) {
      const Entry* entry = place.load(std::memory_order_acquire);
      if (entry == nullptr) return;
      visit(*entry);
    }
  }

 private:
  std::array<std::atomic<Entry*>, kMost> places_{};  // filled from the front
};

// Sums over the workers, as metrics weir_stream_*.
class StreamMetrics final : public base::MetricSource {
 public:
  // tables: borrowed for the object's life.
  explicit StreamMetrics(std::vector<const StreamTable*> tables) : tables_(std::move(tables)) {}
  void collect(std::vector<base::Family>& out) const override;

 private:
  std::vector<const StreamTable*> tables_;
};

}  // namespace weir::observe
