#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/observe/counters.h"
#include "dataplane/observe/labels.h"
#include "dataplane/observe/record.h"

namespace weir::observe {

// Which series a request counts for: route labels, status, method.
struct SeriesKey {
  std::uint32_t labels = Labels::kNone;
  std::uint16_t status = 0;  // 100..599, else 0
  std::uint8_t method = 0;   // index into kMethods
  std::uint64_t packed() const {
    return std::uint64_t{labels} << 32 | std::uint64_t{status} << 8 | method;
  }
  static SeriesKey unpack(std::uint64_t packed) {
    return {static_cast<std::uint32_t>(packed >> 32),
            static_cast<std::uint16_t>(packed >> 8 & 0xffff),
            static_cast<std::uint8_t>(packed & 0xff)};
  }
};

// The method label is one of these, so that a client cannot make series.
inline constexpr std::array<std::string_view, 10> kMethods = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "_other"};
std::uint8_t method_index(std::string_view method);

// The numbers of one series. Written by its worker, read by any thread. A usual request touches
// four of its eleven cache lines: the first of each group of histograms and the one behind the
// last.
struct alignas(64) Series {
  enum Duration : std::size_t { kRequest, kResponse, kHeader, kConnect };  // ns
  enum Size : std::size_t { kRequestSize, kResponseSize };                 // bytes

  Histograms<10, 2, 10> sizes;
  Histograms<11, 4, 0> durations;
  std::atomic<std::uint64_t> key{0};
  Counter requests;
  Histograms<7, 1, 2> bytes_sent;

  void count(const ExchangeRecord& record);
  void clear();
  // Asks for the memory that a usual request touches, without waiting for it.
  void fetch() const;
};

// The series of one worker: found by one probe into a flat table, made at first use, at most
// `most`. Series whose labels are gone make room: when the table is full, and before that each time
// as many were made as there are, so that routes that change for ever take no more than twice what
// they need. What still does not fit counts for (kOther, no status, "_other").
//
//   Threads: at() belongs to the worker; size() and series() to any. A reader may see a series
//   change its key between two reads only when the old key's labels were gone.
class SeriesTable {
 public:
  static constexpr std::size_t kMost = 8'192;

  // labels: borrowed for the table's life.
  explicit SeriesTable(const Labels& labels, std::size_t most = kMost);
  SeriesTable(const SeriesTable&) = delete;
  SeriesTable& operator=(const SeriesTable&) = delete;
  ~SeriesTable();

  Series& at(const SeriesKey& key);
  // Asks for the memory of the series, when there is one, without waiting for it.
  void fetch(const SeriesKey& key) const;
  std::size_t size() const { return size_.load(std::memory_order_acquire); }
  const Series& series(std::size_t at) const { return *all_[at].load(std::memory_order_acquire); }

 private:
  static constexpr std::uint32_t kPurgeEvery = 1'024;  // requests to pass after a purge in vain
  static constexpr std::size_t kLeastMade = 256;  // before the first look for some that are gone
  // The keys stand beside the pointers, so that a probe touches no series.
  struct Slot {
    std::uint64_t key = 0;
    Series* series = nullptr;  // null: empty
  };
  std::size_t slot_of(std::uint64_t key) const;  // of the key, or where it would go
  Slot& slot(std::uint64_t key) { return index_[slot_of(key)]; }
  Series& make(std::uint64_t key);
  bool purge();

  const Labels& labels_;
  const std::size_t most_;
  std::vector<Slot> index_;  // open addressing
  std::unique_ptr<std::atomic<Series*>[]> all_;
  std::atomic<std::size_t> size_{0};
  std::vector<std::uint32_t> free_;  // places whose labels are gone
  std::uint32_t until_purge_ = 0;
  std::size_t until_look_ = kLeastMade;  // series to be made
};

}  // namespace weir::observe
