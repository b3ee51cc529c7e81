#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <optional>

#include "dataplane/codec/codec.h"
#include "dataplane/codec/h2_queue.h"

namespace weir::codec {

class H2Session;

// One exchange's place in an HTTP/2 session, either side. Sends its message in DATA frames as flow
// control allows and gives credit only for what its target has taken. Owned and reused by its
// session; begins with open() and ends with the session's stream.
//
// Invariants: (1) target_ is null before the exchange and from the moment it is over; (2) bytes in
// in_ are those that came while the target was paused or not yet ready, in order, and no more than
// the window that was advertised; (3) nghttp2 asks for data through on_read/on_send only.
class H2Stream final : public MessageStream {
 public:
  explicit H2Stream(H2Session& session) : session_(session) {}

  // --- MessageStream
  void send_interim(const Head& head) override;
  void send_head(const Head& head, BodyLength length) override;
  void send_data(worker::Slice data) override;
  void send_trailers(const Head& trailers) override;
  void send_end() override;
  void reset(const base::Error& error) override;
  void pause() override { paused_ = true; }
  void resume() override;
  // Of a session that holds much in all, every stream that holds anything counts as full.
  std::size_t queued() const override;

  // --- For the session and its sides
  void open(std::int32_t id);  // clears what the exchange before left
  std::int32_t id() const { return id_; }
  void set_id(std::int32_t id) { id_ = id; }
  void set_target(MessageTarget* target) { target_ = target; }
  MessageTarget* target() const { return target_; }
  // The exchange is over for its target: what still comes is dropped.
  void let_target_go();
  void fail(const base::Error& error);  // the target's on_reset, unless it is over
  // Events of the peer's message, in order. A stream that holds (a tunnel that is not open yet)
  // keeps them back like a paused one.
  void receive_data(std::string_view bytes);
  void receive_trailers(HeadPtr trailers);
  void receive_end();
  void set_holding(bool holding) { holding_ = holding; }
  bool holding() const { return holding_; }
  bool remote_ended() const { return remote_ended_; }
  bool local_ended() const { return local_ended_; }
  bool head_sent() const { return head_sent_; }
  bool head_received() const { return head_received_; }
  void set_head_received() { head_received_ = true; }
  // The message has a body (or a tunnel) behind its head: nghttp2 reads it from here.
  nghttp2_data_provider provider();
  void deliver();  // what waited: after resume(), or when a hold ends
  // The message's body is no part of it (HEAD, 204, 304): its data is dropped.
  void swallow() { swallowing_ = true; }
  bool told_end() const { return told_end_; }
  bool waits_for_window() const { return head_sent_ && !out_.empty(); }
  std::uint64_t sent_bytes() const { return sent_; }
  // For the session: what a side wants to remember of this exchange.
  std::uint32_t mark = 0;
  std::size_t head_bytes = 0;
  std::uint64_t stuck_at = 0;  // sent_bytes() + 1 at the last look; 0: none

  // nghttp2's callbacks.
  ssize_t on_read(std::size_t most, std::uint32_t& flags);
  void on_send(std::size_t size, H2Queue& to);

 private:
  friend class H2Session;
  std::size_t available() const {
    return out_.bytes() + (direct_ == nullptr ? 0 : direct_->size());
  }
  void wake();
  void drop_output();
  void consume(std::size_t bytes);
  void end_message(const Head* trailers);
  bool deliver_one();

  H2Session& session_;
  MessageTarget* target_ = nullptr;
  std::int32_t id_ = 0;
  H2Queue out_;
  H2Queue in_;
  worker::Slice* direct_ = nullptr;  // borrowed bytes behind out_, while send_data runs
  HeadPtr trailers_in_;
  HeadPtr trailers_out_;
  std::uint64_t sent_ = 0;            // body bytes given to frames
  std::optional<std::uint64_t> due_;  // bytes that the head announced and are not yet here
  bool head_sent_ = false;
  bool head_received_ = false;
  bool local_ended_ = false;
  bool deferred_ = false;  // nghttp2 waits to be told of data
  bool paused_ = false;
  bool holding_ = false;
  bool delivering_ = false;
  bool swallowing_ = false;
  bool closed_ = false;  // nghttp2 has no such stream any more; the target still takes what came
  bool remote_ended_ = false;  // END_STREAM has come
  bool told_end_ = false;      // on_end was delivered
  bool over_high_ = false;
  bool writable_queued_ = false;
};

}  // namespace weir::codec
