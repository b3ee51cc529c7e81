#include <cstdint>
#include <string_view>

#include "common/base/check.h"
#include "common/wire/frame.h"
#include "common/wire/messages.h"

// Bytes from the other side of the socket: any cut, any content. The first byte chooses where the
// stream is cut; the rest is read as a stream, and once more as the payload of a frame whose length
// and CRC are right, so that the parsers behind these checks are reached.

namespace {

using namespace weir;

void read_message(const wire::Frame& frame) {
  switch (frame.type) {
    case wire::FrameType::kHello:
      (void)wire::from_frame<wire::Hello>(frame);
      break;
    case wire::FrameType::kKeysWanted:
      (void)wire::from_frame<wire::KeysWanted>(frame);
      break;
    case wire::FrameType::kKeys:
      (void)wire::from_frame<wire::Keys>(frame);
      break;
    case wire::FrameType::kBegin:
      (void)wire::from_frame<wire::Begin>(frame);
      break;
    case wire::FrameType::kUpsert:
      (void)wire::read_upsert(frame);
      break;
    case wire::FrameType::kRemove:
      (void)wire::from_frame<wire::Remove>(frame);
      break;
    case wire::FrameType::kCommit:
      (void)wire::from_frame<wire::Commit>(frame);
      break;
    case wire::FrameType::kAck:
      (void)wire::from_frame<wire::Ack>(frame);
      break;
    case wire::FrameType::kNack:
      (void)wire::from_frame<wire::Nack>(frame);
      break;
    case wire::FrameType::kSuperseded:
      break;
  }
}

// What was read must be written and read back the same.
void check_again(const wire::Frame& frame) {
  std::string bytes;
  WEIR_CHECK(wire::append_frame(frame, bytes).ok());
  wire::FrameReader reader;
  reader.add(bytes);
  auto again = reader.next();
  WEIR_CHECK(again.ok() && again.value().has_value());
  WEIR_CHECK(again.value()->json == frame.json && again.value()->blobs == frame.blobs);
}

void drain(wire::FrameReader& reader) {
  for (;;) {
    auto frame = reader.next();
    if (!frame.ok() || !frame.value().has_value()) return;
    check_again(*frame.value());
    read_message(*frame.value());
  }
}

std::string framed(std::uint8_t type, std::string_view payload) {
  std::string out;
  const auto put = [&out](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  };
  put(static_cast<std::uint32_t>(payload.size()), 4);
  put(type % 12U, 2);
  put(0, 2);
  put(wire::crc32(payload), 4);
  return out.append(payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string good = framed(data[0], rest);
  for (const std::string_view stream : {rest, std::string_view(good)}) {
    wire::FrameReader reader;
    const std::size_t cut = stream.empty() ? 0 : data[0] % (stream.size() + 1);
    reader.add(stream.substr(0, cut));
    drain(reader);
    reader.add(stream.substr(cut));
    drain(reader);
  }
  return 0;
}
