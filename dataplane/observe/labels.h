#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/model/route.h"

namespace weir::observe {

// What the series of one route are called.
struct LabelSet {
  std::string host;
  model::RouteLabels route;
  bool operator==(const LabelSet&) const = default;
};

// Gives label sets small numbers, so that counting a request hashes no text. A set lives as long as
// a route of the live configuration has it: intern() and release() count. Ids are never used again,
// so a late request cannot count for a stranger.
//
// Bounded: with `most` sets alive, further ones share kOther, which is called "_other" in every
// label. Any thread; the request path calls nothing here.
class Labels {
 public:
  static constexpr std::uint32_t kNone = 0;   // no route
  static constexpr std::uint32_t kOther = 1;  // over the bound
  static constexpr std::size_t kMost = 10'000;

  explicit Labels(std::size_t most = kMost);

  // Counts one user of the set.
  std::uint32_t intern(const std::string& host, const model::RouteLabels& labels);
  // Gives one use of an id back; kNone and kOther are ignored.
  void release(std::uint32_t id);

  // The set of an id, or null when nobody has it any more.
  std::shared_ptr<const LabelSet> find(std::uint32_t id) const;
  // Whether the id is gone. Never waits: an empty optional when another thread is inside.
  std::optional<bool> try_gone(std::uint32_t id) const;
  std::size_t size() const;                               // alive, without kOther
  std::uint64_t overflows() const { return overflows_; }  // interned as kOther, ever

 private:
  struct Entry {
    std::shared_ptr<const LabelSet> set;
    std::uint64_t uses = 0;
  };
  struct HashContent {
    std::size_t operator()(const LabelSet* set) const;
  };
  struct SameContent {
    bool operator()(const LabelSet* a, const LabelSet* b) const { return *a == *b; }
  };

  const std::size_t most_;
  mutable std::mutex mutex_;  // guards ids_, entries_ and next_
  std::unordered_map<const LabelSet*, std::uint32_t, HashContent, SameContent> ids_;  // of entries_
  std::unordered_map<std::uint32_t, Entry> entries_;
  std::uint32_t next_ = kOther + 1;
  std::shared_ptr<const LabelSet> other_;
  std::atomic<std::uint64_t> overflows_{0};
};

}  // namespace weir::observe
