#include "dataplane/codec/h2_stream.h"

#include <algorithm>
#include <utility>

#include "dataplane/codec/h2_session.h"

namespace weir::codec {
namespace {

// Of all streams of a session; above, each of them stops at what it has.
constexpr std::size_t kMostWaiting = 1024 * 1024;

base::Error own_fault(std::string_view text) {
  return {base::ErrorKind::kInvalid, base::Origin::kSelf, false, std::string(text)};
}

ssize_t read_stream(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t most,
                    std::uint32_t* flags, nghttp2_data_source* source, void*) {
  return static_cast<H2Stream*>(source->ptr)->on_read(most, *flags);
}

}  // namespace

void H2Stream::open(std::int32_t id) {
  id_ = id;
  mark = 0;
  head_bytes = 0;
  stuck_at = sent_ = 0;
  due_.reset();
  target_ = nullptr;
  direct_ = nullptr;
  head_sent_ = head_received_ = local_ended_ = deferred_ = paused_ = holding_ = false;
  delivering_ = swallowing_ = closed_ = remote_ended_ = told_end_ = over_high_ = false;
}

void H2Stream::let_target_go() {
  target_ = nullptr;
  holding_ = false;
  // Nobody takes what waits here; the peer may go on, its bytes are dropped.
  const std::size_t waiting = in_.bytes();
  in_.clear();
  trailers_in_.reset();
  if (waiting > 0) consume(waiting);
}

void H2Stream::fail(const base::Error& error) {
  MessageTarget* const target = target_;
  let_target_go();
  if (target != nullptr) target->on_reset(error);
}

void H2Stream::send_interim(const Head& head) {
  if (head_sent_ || local_ended_ || closed_) return;
  session_.submit_interim(*this, head);
  session_.wake();
}

void H2Stream::send_head(const Head& head, BodyLength length) {
  if (head_sent_ || local_ended_ || closed_) return;
  head_sent_ = true;
  if (length.kind == BodyLength::Kind::kKnown) due_ = length.bytes;
  session_.submit_head(*this, head, length);
  session_.wake();
  if (length.kind != BodyLength::Kind::kNone) return;
  local_ended_ = true;
  session_.on_local_end(*this);
}

void H2Stream::send_data(worker::Slice data) {
  if (!head_sent_ || local_ended_ || closed_ || data.empty()) return;
  if (due_) {
    if (data.size() > *due_) {
      return session_.reset_stream(*this, own_fault("more body than its head announced"));
    }
    *due_ -= data.size();
  }
  if (swallowing_) return;
  if (data.is_borrowed() && data.size() >= H2Queue::kByReference && session_.can_pump()) {
    // Straight into frames, so that the bytes are copied once.
    direct_ = &data;
    wake();
    session_.pump();
    direct_ = nullptr;
  }
  session_.waiting_ += data.size();
  out_.push(session_.context().buffers, std::move(data));
  over_high_ = over_high_ || queued() > kHighMark;
  wake();
}

std::size_t H2Stream::queued() const {
  const bool is_much = session_.waiting_ > kMostWaiting && !out_.empty();
  return is_much ? std::max(out_.bytes(), kHighMark + 1) : out_.bytes();
}

void H2Stream::drop_output() {
  session_.waiting_ -= out_.bytes();
  out_.clear();
}

void H2Stream::send_trailers(const Head& trailers) { end_message(&trailers); }
void H2Stream::send_end() { end_message(nullptr); }

void H2Stream::end_message(const Head* trailers) {
  if (!head_sent_ || local_ended_ || closed_) return;
  if (due_ && *due_ > 0) {
    return session_.reset_stream(*this, own_fault("less body than its head announced"));
  }
  local_ended_ = true;
  if (trailers != nullptr && !swallowing_ && trailers->field_count() > 0) {
    trailers_out_ = session_.context().heads.take();
    trailers_out_->copy_from(*trailers);
  }
  wake();
  session_.on_local_end(*this);
}

void H2Stream::reset(const base::Error& error) {
  if (id_ == 0) return;
  session_.reset_stream(*this, error);
}

void H2Stream::resume() {
  paused_ = false;
  deliver();
}

// nghttp2 asks a stream once and then waits until it is told that there is something.
void H2Stream::wake() {
  if (deferred_ && !closed_) {
    deferred_ = false;
    nghttp2_session_resume_data(session_.handle(), id_);
  }
  session_.wake();
}

nghttp2_data_provider H2Stream::provider() {
  nghttp2_data_provider provider{};
  provider.source.ptr = this;
  provider.read_callback = &read_stream;
  return provider;
}

ssize_t H2Stream::on_read(std::size_t most, std::uint32_t& flags) {
  const std::size_t size = std::min(most, available());
  const bool is_last = local_ended_ && size == available();
  if (size == 0 && !is_last) {
    deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (!is_last) return static_cast<ssize_t>(size);
  flags |= NGHTTP2_DATA_FLAG_EOF;
  if (trailers_out_ == nullptr) return static_cast<ssize_t>(size);
  flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  H2FieldList& fields = h2_scratch_fields();
  fields.add_trailers(*trailers_out_);
  nghttp2_submit_trailer(session_.handle(), id_, fields.data(), fields.size());
  trailers_out_.reset();
  return static_cast<ssize_t>(size);
}

void H2Stream::on_send(std::size_t size, H2Queue& to) {
  worker::BufferPool& pool = session_.context().buffers;
  sent_ += size;
  while (size > 0) {
    worker::Slice part;
    if (!out_.empty()) {
      part = out_.pop(size);
      session_.waiting_ -= part.size();
    } else {
      part = direct_->part(0, std::min(size, direct_->size()));
      direct_->remove_prefix(part.size());
    }
    size -= part.size();
    to.push(pool, std::move(part));
  }
  if (!over_high_ || out_.bytes() >= kLowMark) return;
  over_high_ = false;
  session_.note_writable(*this);
}

void H2Stream::consume(std::size_t bytes) {
  if (closed_) return;
  nghttp2_session_consume_stream(session_.handle(), id_, bytes);
  session_.wake();
}

void H2Stream::receive_data(std::string_view bytes) {
  if (target_ == nullptr) return consume(bytes.size());
  if (paused_ || holding_ || !in_.empty()) {
    in_.copy(session_.context().buffers, bytes);
    return;
  }
  target_->on_data(worker::Slice::borrowed(bytes));
  consume(bytes.size());
}

void H2Stream::receive_trailers(HeadPtr trailers) {
  if (target_ == nullptr || trailers->field_count() == 0) return;
  trailers_in_ = std::move(trailers);
}

void H2Stream::receive_end() {
  remote_ended_ = true;
  deliver();
}

void H2Stream::deliver() {
  if (delivering_) return;
  delivering_ = true;
  while (target_ != nullptr && !paused_ && !holding_ && deliver_one()) {
  }
  delivering_ = false;
}

// True when there may be more.
bool H2Stream::deliver_one() {
  if (!in_.empty()) {
    worker::Slice data = in_.pop(in_.bytes());
    const std::size_t size = data.size();
    target_->on_data(std::move(data));
    consume(size);
    return true;
  }
  if (trailers_in_ != nullptr) {
    target_->on_trailers(std::move(trailers_in_));
    return true;
  }
  if (!remote_ended_ || told_end_) return false;
  told_end_ = true;
  target_->on_end();
  session_.on_delivered(*this);
  return false;
}

}  // namespace weir::codec
