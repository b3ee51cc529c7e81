#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "dataplane/upstream/seat.h"

namespace weir::upstream {

// Why no endpoint was given.
enum class Refusal : std::uint8_t { kNone, kNoEndpoint, kRequests, kPending, kConnections };
std::string_view text_of(Refusal refusal);

// One request's (or one connection's) place at an endpoint: counts as in flight as long as it
// lives, and is told how it goes, which is what balancing and ejection know of the endpoint. Empty
// when nothing was picked. One worker's thread; must not outlive the worker's Upstreams.
class Use {
 public:
  Use() = default;
  explicit Use(Refusal why) : refusal_(why) {}
  Use(Seat& seat, unsigned worker, bool exact);
  Use(Use&& other) noexcept { *this = std::move(other); }
  Use& operator=(Use&& other) noexcept;
  ~Use() { release(); }

  explicit operator bool() const { return seat_ != nullptr; }
  Refusal refusal() const { return refusal_; }
  // The endpoint, by its place in the cluster that it was picked from. Read it at once: a change of
  // the set moves it.
  std::uint32_t index() const { return seat_->index; }
  Seat& seat() const { return *seat_; }
  // The key's own endpoint took it, not a substitute.
  bool exact() const { return exact_; }

  // A connection is waited for. False: the cluster has as many waiting as it may.
  bool begin_pending();
  // A limit was met behind the pick.
  void refuse(Refusal why);

  // A connection is there, new or pooled.
  void connected(base::TimePoint now);
  void connect_failed(base::TimePoint now);
  // The response's head has come, this long after the try began.
  void answered(int status, base::Duration time, base::TimePoint now);
  // No response came, or none that could be read.
  void lost(base::Duration time, base::TimePoint now);

  // Asks for one more try although an endpoint may have seen the request: within the cluster's
  // budget. Then the next use counts as retry: begin_retry().
  bool may_retry() const;
  void begin_retry();
  // Counts a retry, of any kind, for the metrics.
  void count_retry();

 private:
  void release();
  void end_pending();

  Seat* seat_ = nullptr;
  unsigned worker_ = 0;
  Refusal refusal_ = Refusal::kNone;
  bool exact_ = false;
  bool counted_ = false;  // among the cluster's requests
  bool pending_ = false;
  bool retry_ = false;
};

}  // namespace weir::upstream
