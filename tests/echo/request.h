#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::echo {

// One request as the test backend sees it: what came, unjudged. On purpose not Weir's own parser,
// so that a mistake there cannot hide.
struct Request {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // names as they came
  std::size_t body_bytes = 0;

  std::string header(std::string_view lower_name) const;  // empty when absent
  std::string path() const { return target.substr(0, target.find('?')); }
  long parameter(std::string_view name, long fallback) const;
};

// Takes one whole request (head and body) off the front of bytes; empty when more is needed.
std::optional<Request> take_request(std::string& bytes);

// One frame of a WebSocket client (RFC 6455 section 5), unmasked.
struct WebSocketFrame {
  unsigned first_byte = 0;
  std::string payload;
};
std::optional<WebSocketFrame> take_frame(std::string& bytes);
std::string encode_frame(const WebSocketFrame& frame);
// Sec-WebSocket-Accept for this key.
std::string accept_key(const std::string& key);

}  // namespace weir::echo
