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

// The server side of one HTTP/1 connection. Invariants:
//  1. One exchange at a time; the session itself is its stream. Later requests wait as bytes.
//  2. run() is the only place that reads the inbox, and it is not entered twice: what a target
//  calls
//     from inside an event takes effect when the event returns.
//  3. The connection stays open behind a response only when both messages ended at a known byte and
//     the response said so.
class H1Server final : public ServerSession, private MessageStream, private loop::Flushable {
 public:
  H1Server(SessionContext context, ByteStream& wire, ServerTarget& server);
  ~H1Server() override;

  void on_bytes(std::string_view bytes) override;
  void on_read_closed() override;
  void on_lost(const base::Error& error) override;
  void on_drained() override;
  void start_drain() override;
  bool on_head_late() override;
  SessionPhase phase() const override;
  bool client_is_done() const override { return client_done_; }
  std::size_t open_streams() const override { return busy_ ? 1 : 0; }
  bool can_park() const override;

 private:
  enum class In : std::uint8_t { kHead, kBody, kDone, kTunnel, kDiscard };
  enum class Blank : std::uint8_t { kNone, kCr, kCrLf };  // the empty line before a request

  void send_interim(const Head& head) override;
  void send_head(const Head& head, BodyLength length) override;
  void send_data(worker::Slice data) override;
  void send_trailers(const Head& trailers) override { end_message(&trailers); }
  void send_end() override { end_message(nullptr); }
  void reset(const base::Error& error) override;
  void pause() override;
  void resume() override;
  std::size_t queued() const override { return wire_.queued(); }
  void flush() override;  // goes on behind what was answered in one go

  void run();
  bool step();
  void after_run();
  bool skip_blank_line();
  bool read_head();
  void start_request();
  bool read_body();
  void read_tunnel();
  void refuse(const Refusal& refusal, const Head* head);
  void refuse_body(const Refusal& refusal);
  void open_tunnel(const Head& head);
  bool must_close() const;
  void end_message(const Head* trailers);
  void finish_response();
  void break_off(const base::Error& error);
  void end_session();
  void adjust_reading();
  bool may_start();
  bool holds_back() const { return backed_up_ || yielding_; }

  SessionContext context_;
  ByteStream& wire_;
  ServerTarget& server_;
  Inbox inbox_;
  HeadParser parser_;
  BodyReader body_;
  BodyWriter writer_;
  MessageTarget* target_ = nullptr;  // null: none, or its stream is over
  HeadFacts facts_;
  std::uint8_t version_minor_ = 1;
  In in_ = In::kHead;
  Blank blank_ = Blank::kNone;
  bool busy_ = false;       // a response is due or on its way
  bool head_sent_ = false;  // of that response
  bool answers_head_ = false;
  bool closing_ = false;  // behind this response
  bool paused_ = false;   // by the target
  bool running_ = false;
  bool draining_ = false;
  bool read_closed_ = false;
  bool told_end_ = false;  // of a tunnel
  bool reading_paused_ = false;
  bool over_high_ = false;
  bool backed_up_ = false;  // the next request waits until the client has taken more
  bool yielding_ = false;   // it waits until the answers before it have been flushed
  unsigned begun_ = 0;      // requests, since run() was entered
  bool ended_ = false;
  bool client_done_ = false;  // when the session ended
};

}  // namespace weir::codec
