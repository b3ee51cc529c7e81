#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace weir::wire {

// Framing of the socket between controller and dataplane. Little-endian:
//
//   u32 payload length | u16 type | u16 flags (0) | u32 CRC-32 over the payload | payload
//   payload = u32 JSON length | JSON | { u32 blob length | blob }*
//
// The length is checked before anything is read or allocated for it.

inline constexpr std::size_t kFrameHeader = 12;
inline constexpr std::size_t kMaxPayload = 1024 * 1024;

enum class FrameType : std::uint16_t {
  kHello = 1,       // dataplane -> controller, once, on accept
  kKeysWanted = 2,  // controller -> dataplane: types whose digest differs
  kKeys = 3,        // dataplane -> controller: key and hash of every resource of one type; may take
                    // several frames, last one flagged
  kBegin = 4,       // controller -> dataplane: a transaction starts
  kUpsert = 5,
  kRemove = 6,
  kCommit = 7,
  kAck = 8,   // dataplane -> controller: applied, every worker has swapped
  kNack = 9,  // dataplane -> controller: nothing of the transaction applied; a reason per resource
  kSuperseded =
      10,  // dataplane -> controller: a newer session took over; the socket closes after it
};

struct Frame {
  FrameType type = FrameType::kHello;
  std::string json;
  std::vector<std::string> blobs;
};

// Appends the encoded frame to out.
//   errors: kInvalid when the payload is over kMaxPayload; out is left as it was.
base::Result<void> append_frame(const Frame& frame, std::string& out);

// Takes bytes as they come and gives whole frames. After an error the stream is lost and must be
// closed. One thread.
class FrameReader {
 public:
  void add(std::string_view bytes);
  // The next whole frame; an empty optional when more bytes are needed.
  //   errors: kProtocol: length over the limit, wrong CRC, unknown type, flags, parts that do not
  //   fit the payload; and every call after an error.
  base::Result<std::optional<Frame>> next();
  std::size_t buffered() const { return buffer_.size() - start_; }

 private:
  base::Result<std::optional<Frame>> read();

  std::string buffer_;
  std::size_t start_ = 0;  // of the first byte not yet taken
  bool lost_ = false;
};

// CRC-32 of IEEE 802.3, as zlib computes it.
std::uint32_t crc32(std::string_view bytes);

}  // namespace weir::wire
