#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/loop/loop.h"
#include "dataplane/codec/codec.h"
#include "dataplane/codec/h2_fields.h"
#include "dataplane/codec/h2_memory.h"
#include "dataplane/codec/h2_queue.h"
#include "dataplane/codec/h2_stream.h"

namespace weir::codec {

// What both sides of an HTTP/2 connection share (RFC 9113 on nghttp2): input, streams, output
// through the ByteStream once per loop iteration, flow control by consumption. A side derives from
// it and adds what its role means. One thread.
//
// Invariants: (1) nghttp2_session_mem_recv and mem_send are never entered twice; what a target does
// inside an event only queues; (2) frames are made only while the wire's queue is below kHighMark,
// so that what the peer does not take stays in the streams, where it counts; (3) after end() no
// callback reaches a target and no byte is written.
class H2Session : public loop::Flushable {
 public:
  enum class Role : std::uint8_t { kServer, kClient };

  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;
  ~H2Session() override;

  SessionContext& context() { return context_; }
  nghttp2_session* handle() const { return session_.get(); }
  // Makes frames of what is queued, unless nghttp2 is at work or the wire is full, and gives them
  // to the wire at the end of the loop iteration.
  void pump();
  void wake();            // a flush, hence pump(), at the end of the iteration
  void flush() override;  // a side that does more calls this
  bool can_pump() const;
  void note_writable(H2Stream& stream);
  // Body bytes of all streams that are not in frames yet.
  std::size_t waiting() const { return waiting_; }
  void on_delivered(H2Stream& stream);  // its target has taken the peer's whole message

  // --- What a side adds; called by its streams.
  virtual void submit_interim(H2Stream& stream, const Head& head) = 0;
  virtual void submit_head(H2Stream& stream, const Head& head, BodyLength length) = 0;
  virtual void on_local_end(H2Stream& stream) = 0;   // the last piece was queued
  virtual void on_remote_end(H2Stream& stream) = 0;  // behind the target's on_end
  virtual void reset_stream(H2Stream& stream, const base::Error& error) = 0;

 protected:
  struct Options {
    Role role = Role::kServer;
    std::uint32_t stream_window = 65'536;
    std::int32_t connection_window = 1'048'576;
    std::uint32_t max_streams = 128;  // that the peer may open
    bool connect_protocol = false;    // SETTINGS_ENABLE_CONNECT_PROTOCOL
  };

  H2Session(SessionContext context, ByteStream& wire, const Options& options);

  // Feeds nghttp2; a broken connection leaves its GOAWAY queued. Ends with settle().
  void receive(std::string_view bytes);
  // Calls over() once nghttp2 wants neither to read nor to write.
  void settle();
  void end() { ended_ = true; }
  bool ended() const { return ended_; }
  bool busy() const { return inside_; }
  ByteStream& wire() { return wire_; }
  H2FieldReader& reader() { return reader_; }

  H2Stream& take_stream(std::int32_t id);  // binds it to nghttp2's stream when that exists
  std::span<H2Stream* const> streams() const { return open_; }
  H2Stream* stream(std::int32_t id);
  // RST_STREAM; nghttp2 then closes the stream, which calls on_stream_closed.
  void submit_reset(H2Stream& stream, std::uint32_t code);
  // Frees a stream that nghttp2 has never heard of.
  void release(H2Stream& stream) { free_stream(stream); }
  void fail_all(const base::Error& error);

  // --- nghttp2's events for a side. false from the first two: the stream is refused
  // (REFUSED_STREAM)
  virtual H2FieldReader::Kind section_kind(const nghttp2_frame& frame) = 0;
  virtual bool on_section(const nghttp2_frame& frame) = 0;  // begins; false: REFUSED_STREAM
  // A complete field section of a stream that is open here.
  virtual void on_head(H2Stream& stream, const nghttp2_frame& frame) = 0;
  virtual void on_frame(const nghttp2_frame&) {}  // any other frame, whole and valid
  // Any frame, before it is judged. False: enough of this peer, the connection ends with
  // ENHANCE_YOUR_CALM.
  virtual bool on_frame_begins(const nghttp2_frame_hd&) { return true; }
  virtual void on_frame_sent(const nghttp2_frame&) {}
  virtual void on_invalid_frame(const nghttp2_frame&) {}
  // What a target is told when its stream is closed with this code, or lost with its connection.
  virtual base::Error closed_error(const H2Stream& stream, std::uint32_t code) const;
  virtual base::Error told(const H2Stream&, base::Error error) const { return error; }
  // The target has been told. The object is free for the next exchange when this returns.
  virtual void on_stream_closed(H2Stream& stream, std::uint32_t code) = 0;
  // Nothing will be read or written any more.
  virtual void over() = 0;

 private:
  friend class H2Stream;
  struct Callbacks;
  struct Free {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  void start(const Options& options);
  void make_frames();
  void tell_writable();
  void close_stream(H2Stream& stream, std::uint32_t code);
  void free_stream(H2Stream& stream);
  void trim();

  SessionContext context_;
  ByteStream& wire_;
  H2Memory memory_;
  std::unique_ptr<nghttp2_session, Free> session_;
  H2FieldReader reader_;
  H2Queue out_;
  std::vector<H2Stream*> open_;
  std::vector<std::unique_ptr<H2Stream>> streams_;  // all, also the free ones
  std::vector<H2Stream*> free_;
  std::vector<H2Stream*> writable_;
  std::size_t waiting_ = 0;
  bool inside_ = false;
  bool ended_ = false;
  bool broken_ = false;
  bool telling_ = false;
};

}  // namespace weir::codec
