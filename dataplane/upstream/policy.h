#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/upstream/seat.h"

namespace weir::upstream {

// One endpoint that may be picked now.
struct Candidate {
  std::string_view id;
  std::uint32_t weight = 1;  // relative to the others; slow start has been applied
  Seat* seat = nullptr;      // null only for policies that look at weights alone
};

using Avoid = std::span<const std::string>;  // ids that are taken only when there is no other

// How one worker chooses among the endpoints of one cluster.
class Policy {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;
  virtual ~Policy() = default;
  // Takes over a new set, sorted by id. What is known of those that stay is kept. Ids are borrowed
  // for the call, seats until the next.
  virtual void sync(std::span<const Candidate> candidates) = 0;
  // Index into the set, or kNone when none has a weight.
  virtual std::size_t pick(Avoid avoid, base::TimePoint now) = 0;
};

// start: workers begin at different endpoints, so that few requests spread over many workers do
// not all meet the first one. Policies that hash fall back on round robin.
std::unique_ptr<Policy> make_policy(model::Balance policy, unsigned start);

inline bool contains(Avoid avoid, std::string_view id) {
  for (const std::string& one : avoid) {
    if (one == id) return true;
  }
  return false;
}

// Fewest requests in flight in the process for their weight; equals take turns. O(endpoints).
class LeastConn final : public Policy {
 public:
  explicit LeastConn(unsigned start) : cursor_(start) {}
  void sync(std::span<const Candidate> candidates) override;
  std::size_t pick(Avoid avoid, base::TimePoint now) override;

 private:
  struct Entry {
    Seat* seat;
    std::uint64_t weight;
  };
  std::vector<Entry> entries_;
  std::size_t cursor_;
};

// The better of two at random (Finagle's peak EWMA): answer time x requests in flight, by weight.
// One that has not answered yet counts as average. O(1) but for retries.
class Ewma final : public Policy {
 public:
  explicit Ewma(unsigned start);
  void sync(std::span<const Candidate> candidates) override;
  std::size_t pick(Avoid avoid, base::TimePoint now) override;

 private:
  struct Entry {
    Seat* seat;
    double weight;
  };
  std::size_t draw(std::size_t other, Avoid avoid);
  double load(Entry& entry, base::TimePoint now) const;
  double average(base::TimePoint now) const;

  std::vector<Entry> entries_;
  double average_ = 0;
  base::TimePoint averaged_{};
  std::minstd_rand random_;
};

}  // namespace weir::upstream
