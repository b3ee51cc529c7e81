#pragma once

#include <cstdint>

#include "common/loop/timer_wheel.h"
#include "dataplane/codec/h2_abuse.h"
#include "dataplane/codec/h2_frame_walk.h"
#include "dataplane/codec/h2_past_streams.h"
#include "dataplane/codec/h2_server.h"
#include "dataplane/codec/h2_session.h"

namespace weir::codec {

// See make_h2_server. Invariant: one timer serves the field section that is under way, the drain
// and the streams that find no window; it is armed while there is any of them.
class H2ServerSession final : public ServerSession, private H2Session, private loop::TimerTarget {
 public:
  H2ServerSession(SessionContext context, ByteStream& wire, ServerTarget& server,
                  const H2ServerOptions& options);
  ~H2ServerSession() override;

  void on_bytes(std::string_view bytes) override;
  void on_read_closed() override;
  void on_lost(const base::Error& error) override;
  void on_drained() override { wake(); }
  void start_drain() override;
  bool on_head_late() override;
  SessionPhase phase() const override;
  bool client_is_done() const override { return read_closed_; }
  std::size_t open_streams() const override { return streams().size(); }

 private:
  // What H2Stream::mark holds.
  enum Mark : std::uint32_t { kAnswersHead = 1, kAsksTunnel = 2 };

  void submit_interim(H2Stream& stream, const Head& head) override;
  void submit_head(H2Stream& stream, const Head& head, BodyLength length) override;
  void on_local_end(H2Stream& stream) override;
  void on_remote_end(H2Stream&) override {}
  void reset_stream(H2Stream& stream, const base::Error& error) override;

  H2FieldReader::Kind section_kind(const nghttp2_frame& frame) override;
  bool on_section(const nghttp2_frame& frame) override;
  void on_head(H2Stream& stream, const nghttp2_frame& frame) override;
  void on_frame(const nghttp2_frame& frame) override;
  bool on_frame_begins(const nghttp2_frame_hd& frame) override;
  void on_frame_sent(const nghttp2_frame& frame) override;
  void on_invalid_frame(const nghttp2_frame&) override { charge(H2Abuse::kReset); }
  void on_stream_closed(H2Stream& stream, std::uint32_t code) override;
  void over() override;
  void flush() override;
  void on_timer() override;

  void charge(std::int32_t points);
  void judge_headers(std::int32_t id);
  void judge_data(std::int32_t id);
  void start_request(H2Stream& stream, bool ends);
  void refuse(H2Stream& stream, const Refusal& refusal, const Head* head);
  void ask_tunnel(H2Stream& stream, HeadPtr head);
  void open_tunnel(H2Stream& stream, const Head& head);
  void submit_response(H2Stream& stream, const H2FieldList& fields, bool has_body);
  void finish_drain();
  void end_late();
  void shed();
  void watch();
  void watch_streams(base::TimePoint now);
  base::TimePoint now() { return context().loop->now(); }

  ServerTarget& server_;
  const H2ServerOptions options_;
  H2Abuse abuse_;
  H2PastStreams past_;
  H2FrameWalk walk_;
  loop::Timer timer_;
  base::TimePoint section_since_{};
  base::TimePoint drain_since_{};
  base::TimePoint streams_watched_{};
  std::size_t wire_stuck_at_ = 0;  // what the wire held at the last look
  std::size_t heads_ = 0;          // bytes of the heads of open streams
  std::int32_t last_whole_ = 0;    // stream of the last request whose head has come
  bool in_section_ = false;
  bool late_ = false;   // its connection was told that it ends by itself
  bool began_ = false;  // its first frame has come
  bool draining_ = false;
  bool drained_ = false;  // the final GOAWAY is queued
  bool read_closed_ = false;
};

}  // namespace weir::codec
