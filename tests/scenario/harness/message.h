#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scenario {

// One HTTP/1.1 message as text, for both sides of a test. Independent of Weir's own parser.
struct Message {
  std::string start;  // first line without CRLF
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::vector<std::pair<std::string, std::string>> trailers;

  // The first field of that name, whatever its case; empty when there is none.
  std::string_view find(std::string_view name) const;
  int count(std::string_view name) const;
  bool has(std::string_view name) const { return count(name) > 0; }
  // Of a request line.
  std::string_view method() const;
  std::string_view target() const;
  // Of a status line; 0 when it is none.
  int status() const;
};

std::string format_fields(const Message& message);  // "Name: value" lines, for failures

// Reads messages from bytes as they come (RFC 9112). Strict: bare LF, folded lines, unknown codings
// and malformed sizes are errors.
class MessageReader {
 public:
  enum class Kind : std::uint8_t { kRequest, kResponse };
  enum class State : std::uint8_t { kHead, kBody, kDone, kBad };

  explicit MessageReader(Kind kind, bool keep_body = true) : kind_(kind), keep_body_(keep_body) {}

  // The next message's response has no body (HEAD was asked).
  void expect_no_body() { no_body_ = true; }
  // Takes what belongs to this message from the front of buffer.
  State feed(std::string& buffer);
  // Would the message be whole if the peer ended now?
  bool ends_complete() const {
    return state_ == State::kDone || (state_ == State::kBody && framing_ == Framing::kToTheEnd);
  }
  // Ready for the next one.
  Message take();

  State state() const { return state_; }
  const Message& message() const { return message_; }
  bool head_complete() const { return state_ == State::kBody || state_ == State::kDone; }
  bool is_chunked() const { return framing_ == Framing::kChunked; }
  std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  enum class Framing : std::uint8_t { kNone, kLength, kChunked, kToTheEnd };
  enum class Chunk : std::uint8_t { kSize, kData, kDataEnd, kTrailers };

  bool read_head(std::string& buffer);
  bool choose_framing();
  bool read_body(std::string& buffer);
  bool read_chunked(std::string& buffer);
  bool read_chunk_line(std::string& buffer);
  void read_data(std::string& buffer);

  Kind kind_;
  bool keep_body_;
  bool no_body_ = false;
  State state_ = State::kHead;
  Framing framing_ = Framing::kNone;
  Chunk chunk_ = Chunk::kSize;
  std::uint64_t left_ = 0;
  std::uint64_t body_bytes_ = 0;
  Message message_;
};

}  // namespace weir::scenario
