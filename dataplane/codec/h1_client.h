#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/codec/codec.h"
#include "dataplane/codec/h1_body_reader.h"
#include "dataplane/codec/h1_body_writer.h"
#include "dataplane/codec/h1_framing.h"
#include "dataplane/codec/h1_head_parser.h"
#include "dataplane/codec/h1_inbox.h"

namespace weir::codec {

// The client side of one HTTP/1 connection to an upstream that may be hostile. Invariants:
//  1. One exchange at a time; the session itself is its stream. No byte that arrives while none is
//     open, or behind the end of a response, ever reaches an exchange: it ends the session.
//  2. Reused only when request and response both ended at a known byte and both sides keep it.
class H1Client final : public ClientSession, private MessageStream {
 public:
  H1Client(SessionContext context, ByteStream& wire, ClientTarget& client);

  bool can_open() const override { return !ended_ && !busy_; }
  MessageStream& open(MessageTarget& target) override;
  void on_bytes(std::string_view bytes) override;
  void on_read_closed() override;
  void on_lost(const base::Error& error) override;
  void on_drained() override;
  std::size_t open_streams() const override { return busy_ ? 1 : 0; }

 private:
  enum class In : std::uint8_t { kHead, kBody, kTunnel };

  void send_interim(const Head&) override {}  // requests have none
  void send_head(const Head& head, BodyLength length) override;
  void send_data(worker::Slice data) override;
  void send_trailers(const Head& trailers) override { end_message(&trailers); }
  void send_end() override { end_message(nullptr); }
  void reset(const base::Error& error) override;
  void pause() override;
  void resume() override;
  std::size_t queued() const override { return wire_.queued(); }

  void run();
  bool step();
  void after_run();
  bool read_head();
  bool start_response(HeadPtr head);
  bool read_interim(HeadPtr head, const HeadFacts& facts);
  bool read_body();
  void end_message(const Head* trailers);
  void finish_response();
  void fail(base::ErrorKind kind, std::string_view text);
  void fail(base::Error error);
  void end_session();
  void adjust_reading();

  SessionContext context_;
  ByteStream& wire_;
  ClientTarget& client_;
  Inbox inbox_;
  HeadParser parser_;
  BodyReader body_;
  BodyWriter writer_;
  MessageTarget* target_ = nullptr;  // null: none, or its stream is over
  int interims_ = 0;
  In in_ = In::kHead;
  bool busy_ = false;
  bool wrote_ = false;  // bytes of this request
  bool request_ended_ = false;
  bool got_bytes_ = false;  // of this response
  bool is_head_request_ = false;
  bool asked_upgrade_ = false;
  bool keeps_connection_ = false;  // says the response
  bool paused_ = false;
  bool running_ = false;
  bool read_closed_ = false;
  bool told_end_ = false;  // of a tunnel
  bool reading_paused_ = false;
  bool over_high_ = false;
  bool ended_ = false;
};

}  // namespace weir::codec
