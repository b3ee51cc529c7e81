#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>

#include "common/base/clock.h"

namespace weir::codec {

// What a client costs beyond the requests that it gets answers to: a bucket of points that frames
// and resets take from and that time and useful work fill. One for each connection. Figures are
// chosen so that browsers and gRPC clients never come near: 250 cancelled requests at once and 25 a
// second for ever, or 1,000 control frames at once and 100 a second; answers and response data pay
// for the cancels, PINGs and WINDOW_UPDATEs that go with them.
class H2Abuse {
 public:
  static constexpr std::int32_t kBudget = 1000;
  static constexpr std::int32_t kRefillPerSecond = 100;
  static constexpr std::int32_t kReset = 4;  // a stream ended by RST_STREAM, either side's
  static constexpr std::int32_t kRefused =
      24;  // 431 and its like: decoded for nothing; its answer pays some
  static constexpr std::int32_t kAnswered = -4;  // a response was sent whole
  static constexpr std::int32_t kDataSent = -4;

  // now: of the loop; never goes back.
  void add(std::int32_t points, base::TimePoint now);
  // What a frame costs by its head alone.
  static std::int32_t cost_of(const nghttp2_frame_hd& frame);
  bool is_too_much() const { return left_ < 0; }

 private:
  std::int32_t left_ = kBudget;
  base::TimePoint filled_{};
};

}  // namespace weir::codec
