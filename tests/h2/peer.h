#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/h2/frames.h"

namespace weir::h2 {

// What came back on one stream.
struct Response {
  int status = 0;
  std::vector<int> interims;
  Fields fields;
  Fields trailers;
  std::string body;
  bool head_done = false;
  bool ended = false;                   // END_STREAM
  std::optional<std::uint32_t> closed;  // the stream is over: NO_ERROR or what reset it
  std::string field(std::string_view name) const;
};

// A client's session on nghttp2 without sockets: bytes in, bytes out. One thread.
class Peer {
 public:
  struct Options {
    std::uint32_t window = 65'535;  // SETTINGS_INITIAL_WINDOW_SIZE
    bool opens_windows = true;      // false: never sends WINDOW_UPDATE
  };
  explicit Peer(Options options);
  Peer() : Peer(Options{}) {}
  ~Peer();

  // Returns the stream's id. body: sent as far as windows allow; null: END_STREAM on the head.
  std::int32_t request(const Fields& fields, const std::string* body = nullptr,
                       const Fields& trailers = {});
  // A request whose body is still open: send() and end() follow.
  std::int32_t open(const Fields& fields);
  void send(std::int32_t id, std::string_view bytes);
  void end(std::int32_t id);
  void reset(std::int32_t id, std::uint32_t code = NGHTTP2_CANCEL);

  bool feed(std::string_view bytes);  // false: the server broke the protocol
  std::string output();               // what is to be sent now

  Response& response(std::int32_t id) { return responses_[id]; }
  bool done(std::int32_t id) { return responses_[id].closed.has_value(); }
  std::optional<std::uint32_t> goaway;  // the last one's code
  std::int32_t goaway_last = 0;
  int goaways = 0;
  nghttp2_session* handle() { return session_; }

 private:
  struct Callbacks;
  struct Body {
    std::string bytes;
    std::size_t sent = 0;
    bool ended = false;
    Fields trailers;
  };
  std::int32_t submit(const Fields& fields, std::unique_ptr<Body> body);

  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Response> responses_;
  std::map<std::int32_t, std::unique_ptr<Body>> bodies_;
};

}  // namespace weir::h2
