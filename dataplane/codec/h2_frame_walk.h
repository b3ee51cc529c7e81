#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/codec/h2_server.h"

namespace weir::codec {

// Finds the DATA frames of a client's byte stream by their heads alone, for what nghttp2 drops
// without a callback. Feed it every byte, in any cuts. One thread.
class H2FrameWalk {
 public:
  // How many of these bytes stand before the last byte of the next DATA frame's head, at which a
  // reader acts on it; all of them when no such head ends here. Those bytes are done with; give the
  // rest again.
  std::size_t to_data(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      if (skip_ > 0) {
        const std::size_t part = skip_ < bytes.size() - at ? skip_ : bytes.size() - at;
        skip_ -= part;
        at += part;
        continue;
      }
      if (have_ + 1 == head_.size() && !told_ && head_[3] == 0) {
        told_ = true;
        return at;
      }
      head_[have_++] = static_cast<unsigned char>(bytes[at++]);
      if (have_ < head_.size()) continue;
      skip_ = static_cast<std::size_t>(head_[0]) << 16 | static_cast<std::size_t>(head_[1]) << 8 |
              head_[2];
      have_ = 0;
      told_ = false;
    }
    return bytes.size();
  }
  // Such a head is complete but for its last byte, which stream() takes.
  bool at_data() const { return told_; }
  std::int32_t stream(char last) const {
    return static_cast<std::int32_t>(
        (head_[5] & 0x7fU) << 24 | static_cast<unsigned>(head_[6]) << 16 |
        static_cast<unsigned>(head_[7]) << 8 | static_cast<unsigned char>(last));
  }

 private:
  std::size_t skip_ = kH2Preface.size();  // of the current payload; at first the preface
  std::array<unsigned char, 9> head_{};
  std::size_t have_ = 0;
  bool told_ = false;
};

}  // namespace weir::codec
