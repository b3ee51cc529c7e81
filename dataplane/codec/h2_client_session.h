#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/clock.h"
#include "dataplane/codec/codec.h"
#include "dataplane/codec/h2_client.h"
#include "dataplane/codec/h2_session.h"

namespace weir::codec {

// The client side of one HTTP/2 connection to an upstream that may be hostile. Invariants:
//  1. A stream's error is retryable only while nothing of its request was sent, or when the peer
//     has said that it did not process it: REFUSED_STREAM, or GOAWAY with a lower last stream; and
//     never behind a response head.
//  2. After GOAWAY no stream opens; the session ends with the last one.
//  3. What the upstream sends without need (PING, SETTINGS, empty DATA …) is paid from a credit
//     that its useful frames and time fill; a flood ends the session with ENHANCE_YOUR_CALM.
class H2Client final : public H2Session, public ClientSession {
 public:
  H2Client(SessionContext context, ByteStream& wire, ClientTarget& client,
           const H2ClientOptions& options);

  bool can_open() const override;
  MessageStream& open(MessageTarget& target) override;
  void on_bytes(std::string_view bytes) override { receive(bytes); }
  void on_read_closed() override;
  void on_lost(const base::Error& error) override;
  void on_drained() override { pump(), wake(); }
  std::size_t open_streams() const override { return streams().size(); }
  std::size_t most_streams() const override;
  bool settled() const override { return has_settings_; }

  void flush() override;

 private:
  static Options session_options();
  void submit_interim(H2Stream&, const Head&) override {}  // requests have none
  void submit_head(H2Stream& stream, const Head& head, BodyLength length) override;
  void on_local_end(H2Stream&) override {}
  void on_remote_end(H2Stream& stream) override;
  void reset_stream(H2Stream& stream, const base::Error& error) override;

  H2FieldReader::Kind section_kind(const nghttp2_frame& frame) override;
  bool on_section(const nghttp2_frame&) override { return true; }
  void on_head(H2Stream& stream, const nghttp2_frame& frame) override;
  void on_frame(const nghttp2_frame& frame) override;
  bool on_frame_begins(const nghttp2_frame_hd& hd) override;
  void on_frame_sent(const nghttp2_frame& frame) override;
  void on_stream_closed(H2Stream& stream, std::uint32_t code) override;
  base::Error closed_error(const H2Stream& stream, std::uint32_t code) const override;
  base::Error told(const H2Stream& stream, base::Error error) const override;
  void over() override;

  void read_interim(H2Stream& stream, HeadPtr head);
  void refuse_response(H2Stream& stream, std::string_view text);
  void end_with(const base::Error& error);
  void spend(int price);
  void note_room();

  ClientTarget& client_;
  H2ClientOptions options_;
  base::TimePoint refilled_{};
  int credit_;
  bool has_settings_ = false;  // the peer's first ones have come
  bool leaving_ = false;       // it has sent GOAWAY
  bool room_changed_ = false;
};

}  // namespace weir::codec
