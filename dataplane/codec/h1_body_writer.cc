#include "dataplane/codec/h1_body_writer.h"

#include <utility>

#include "dataplane/codec/h1_chunked.h"
#include "dataplane/codec/h1_serialize.h"

namespace weir::codec {

void BodyWriter::start(Mode mode, std::uint64_t bytes) {
  mode_ = mode;
  left_ = bytes;
}

bool BodyWriter::send(worker::Slice data) {
  if (data.empty()) return true;
  switch (mode_) {
    case Mode::kNothing:
      return false;
    case Mode::kSwallowed:
      return true;
    case Mode::kKnown:
      if (data.size() > left_) return false;
      left_ -= data.size();
      wire_.write(std::move(data));
      return true;
    case Mode::kChunked:
      wire_.write(size_line(data.size()));
      wire_.write(std::move(data));
      wire_.write(worker::Slice::borrowed("\r\n"));
      return true;
    case Mode::kRaw:
      wire_.write(std::move(data));
      return true;
  }
  return false;
}

bool BodyWriter::end(const Head* trailers) {
  drop_lines();
  if (mode_ == Mode::kChunked) {
    if (trailers != nullptr && trailers->field_count() > 0) {
      wire_.write(serialize_trailers(pool_, *trailers));
    } else {
      wire_.write(worker::Slice::borrowed("0\r\n\r\n"));
    }
  }
  return mode_ != Mode::kKnown || left_ == 0;
}

worker::Slice BodyWriter::size_line(std::size_t size) {
  if (lines_ != nullptr && lines_->capacity - lines_used_ < kSizeLine) drop_lines();
  if (lines_ == nullptr) lines_ = pool_.take(worker::BufferPool::kSmall);
  char* out = lines_->data() + lines_used_;
  const std::size_t length = write_chunk_size(size, out);
  lines_used_ += length;
  ++lines_->refs;
  return worker::Slice({out, length}, lines_);
}

void BodyWriter::drop_lines() {
  if (lines_ != nullptr) pool_.release(lines_);
  lines_ = nullptr;
  lines_used_ = 0;
}

}  // namespace weir::codec
