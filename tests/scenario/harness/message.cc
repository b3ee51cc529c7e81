#include "tests/scenario/harness/message.h"

#include <charconv>

#include "common/base/text.h"

namespace weir::scenario {
namespace {

// "Name: value" -> pair; false for what RFC 9112 section 5 does not allow.
bool split_field(std::string_view line, std::vector<std::pair<std::string, std::string>>& out) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  if (name.find_first_of(" \t\r\n") != std::string_view::npos) return false;
  out.emplace_back(name, base::trim(line.substr(colon + 1)));
  return true;
}

// Takes one line ended by CRLF. 1: taken, 0: more bytes are needed, -1: bare LF or CR.
int take_line(std::string& buffer, std::string& line) {
  const std::size_t end = buffer.find('\n');
  if (end == std::string::npos) return buffer.size() > 100'000 ? -1 : 0;
  if (end == 0 || buffer[end - 1] != '\r') return -1;
  line = buffer.substr(0, end - 1);
  buffer.erase(0, end + 1);
  return line.find('\r') == std::string::npos ? 1 : -1;
}

bool read_number(std::string_view text, int radix, std::uint64_t& out) {
  if (text.empty()) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, radix);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string_view Message::find(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (base::equals_ignore_case(key, name)) return value;
  }
  return {};
}

int Message::count(std::string_view name) const {
  int n = 0;
  for (const auto& [key, value] : fields) n += base::equals_ignore_case(key, name) ? 1 : 0;
  return n;
}

std::string_view Message::method() const {
  return std::string_view(start).substr(0, start.find(' '));
}

std::string_view Message::target() const {
  const std::size_t from = start.find(' ') + 1;
  return std::string_view(start).substr(from, start.find(' ', from) - from);
}

int Message::status() const {
  std::uint64_t out = 0;
  if (start.compare(0, 9, "HTTP/1.1 ") != 0) return 0;
  return read_number(std::string_view(start).substr(9, 3), 10, out) ? static_cast<int>(out) : 0;
}

std::string format_fields(const Message& message) {
  std::string out = message.start + "\n";
  for (const auto& [name, value] : message.fields) out += name + ": " + value + "\n";
  return out;
}

MessageReader::State MessageReader::feed(std::string& buffer) {
  if (state_ == State::kHead && !read_head(buffer)) state_ = State::kBad;
  if (state_ == State::kBody && !read_body(buffer)) state_ = State::kBad;
  return state_;
}

Message MessageReader::take() {
  Message out = std::exchange(message_, {});
  *this = MessageReader(kind_, keep_body_);
  return out;
}

bool MessageReader::read_head(std::string& buffer) {
  const std::size_t end = buffer.find("\r\n\r\n");
  if (end == std::string::npos) return buffer.size() <= 200'000;
  std::string head = buffer.substr(0, end + 2);
  buffer.erase(0, end + 4);
  std::string line;
  if (take_line(head, message_.start) != 1) return false;
  while (!head.empty()) {
    if (take_line(head, line) != 1 || !split_field(line, message_.fields)) return false;
  }
  if (kind_ == Kind::kResponse && message_.status() == 0) return false;
  return choose_framing();
}

bool MessageReader::choose_framing() {
  const int status = kind_ == Kind::kResponse ? message_.status() : 0;
  const bool empty = no_body_ || (status >= 100 && status < 200) || status == 204 || status == 304;
  if (message_.has("Transfer-Encoding")) {
    if (message_.find("Transfer-Encoding") != "chunked" || message_.has("Content-Length")) {
      return false;
    }
    framing_ = empty ? Framing::kNone : Framing::kChunked;
  } else if (message_.has("Content-Length")) {
    if (message_.count("Content-Length") != 1 ||
        !read_number(message_.find("Content-Length"), 10, left_)) {
      return false;
    }
    framing_ = empty || left_ == 0 ? Framing::kNone : Framing::kLength;
  } else {
    framing_ = kind_ == Kind::kRequest || empty ? Framing::kNone : Framing::kToTheEnd;
  }
  state_ = framing_ == Framing::kNone ? State::kDone : State::kBody;
  return true;
}

void MessageReader::read_data(std::string& buffer) {
  const std::size_t size =
      framing_ == Framing::kToTheEnd
          ? buffer.size()
          : static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer.size()));
  if (keep_body_) message_.body.append(buffer, 0, size);
  buffer.erase(0, size);
  body_bytes_ += size;
  left_ -= framing_ == Framing::kToTheEnd ? 0 : size;
}

bool MessageReader::read_body(std::string& buffer) {
  if (framing_ == Framing::kChunked) return read_chunked(buffer);
  read_data(buffer);
  if (framing_ == Framing::kLength && left_ == 0) state_ = State::kDone;
  return true;
}

bool MessageReader::read_chunked(std::string& buffer) {
  while (state_ == State::kBody && !buffer.empty()) {
    if (chunk_ == Chunk::kData) {
      read_data(buffer);
      if (left_ == 0) chunk_ = Chunk::kDataEnd;
    } else {
      const std::size_t before = buffer.size();
      if (!read_chunk_line(buffer)) return false;
      if (buffer.size() == before) return true;
    }
  }
  return true;
}

bool MessageReader::read_chunk_line(std::string& buffer) {
  std::string line;
  const int taken = take_line(buffer, line);
  if (taken <= 0) return taken == 0;
  if (chunk_ == Chunk::kDataEnd) {
    chunk_ = Chunk::kSize;
    return line.empty();
  }
  if (chunk_ == Chunk::kTrailers) {
    if (!line.empty()) return split_field(line, message_.trailers);
    state_ = State::kDone;
    return true;
  }
  if (!read_number(line, 16, left_)) return false;
  chunk_ = left_ == 0 ? Chunk::kTrailers : Chunk::kData;
  return true;
}

}  // namespace weir::scenario
