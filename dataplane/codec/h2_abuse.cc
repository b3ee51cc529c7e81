#include "dataplane/codec/h2_abuse.h"

#include <algorithm>

namespace weir::codec {

void H2Abuse::add(std::int32_t points, base::TimePoint now) {
  if (points > 0 && now > filled_) {
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - filled_).count();
    const auto more = std::min<std::int64_t>(passed, 60'000) * kRefillPerSecond / 1000;
    if (more > 0) {
      filled_ = now;
      // Too much stays too much.
      if (left_ >= 0) left_ = std::min(kBudget, left_ + static_cast<std::int32_t>(more));
    }
  }
  if (left_ >= 0) left_ = std::min(kBudget, left_ - points);
}

std::int32_t H2Abuse::cost_of(const nghttp2_frame_hd& frame) {
  switch (frame.type) {
    case NGHTTP2_DATA:
      return frame.length == 0 && (frame.flags & NGHTTP2_FLAG_END_STREAM) == 0 ? 5 : 0;
    case NGHTTP2_HEADERS:
      return frame.length == 0 ? 5 : 0;
    case NGHTTP2_CONTINUATION:
      return 5;
    case NGHTTP2_RST_STREAM:
      return kReset;
    case NGHTTP2_SETTINGS:
      return (frame.flags & NGHTTP2_FLAG_ACK) != 0 ? 1 : 10;
    default:
      return 1;
  }
}

}  // namespace weir::codec
