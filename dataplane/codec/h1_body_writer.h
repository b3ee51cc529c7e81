#pragma once

#include <cstdint>

#include "dataplane/codec/codec.h"

namespace weir::codec {

// Writes one body to the wire under the framing that its head announced. Size lines of chunks share
// one small buffer, which is given back when the body ends.
class BodyWriter {
 public:
  enum class Mode : std::uint8_t {
    kNothing,  // no body is due: sending any is an error
    kKnown,    // exactly so many bytes
    kChunked,
    kRaw,        // until the connection closes: HTTP/1.0 clients, tunnels
    kSwallowed,  // the answer to HEAD: accepted and not written
  };

  BodyWriter(worker::BufferPool& pool, ByteStream& wire) : pool_(pool), wire_(wire) {}
  ~BodyWriter() { drop_lines(); }
  BodyWriter(const BodyWriter&) = delete;
  BodyWriter& operator=(const BodyWriter&) = delete;

  void start(Mode mode, std::uint64_t bytes = 0);
  // False when more or less is sent than was announced: the message cannot be completed and the
  // connection must close. What would be too much is not written.
  [[nodiscard]] bool send(worker::Slice data);
  [[nodiscard]] bool end(const Head* trailers);

 private:
  worker::Slice size_line(std::size_t size);
  void drop_lines();

  worker::BufferPool& pool_;
  ByteStream& wire_;
  worker::Chunk* lines_ = nullptr;
  std::size_t lines_used_ = 0;
  std::uint64_t left_ = 0;  // of kKnown
  Mode mode_ = Mode::kNothing;
};

}  // namespace weir::codec
