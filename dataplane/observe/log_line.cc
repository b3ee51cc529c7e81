#include "dataplane/observe/log_line.h"

#include <charconv>
#include <cstring>

#include "common/base/text.h"

namespace weir::observe {
namespace {

constexpr std::size_t kFrame = 1'024;    // keys, numbers and punctuation
constexpr std::size_t kWorstEscape = 6;  // "\u001f" of one byte

std::string_view cut(std::string_view text, std::size_t most) { return text.substr(0, most); }

// Length of the UTF-8 sequence at the start of text, 0 when it is not well-formed (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  const std::size_t length = first < 0xc2   ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = at(1);
  const bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return bad ? 0 : length;
}

// True when none of eight bytes needs more than a copy: no control byte, quote, backslash or byte
// above ASCII.
bool plain(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighs = 0x8080808080808080ULL;
  const auto zero = [](std::uint64_t w) { return (w - kOnes) & ~w; };
  const std::uint64_t control = (word - kOnes * 0x20) & ~word;
  const std::uint64_t quote = zero(word ^ kOnes * '"');
  const std::uint64_t backslash = zero(word ^ kOnes * '\\');
  return ((word | control | quote | backslash) & kHighs) == 0;
}

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// One character that plain() refused; returns how many bytes of text it took.
std::size_t put_special(char*& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto c = static_cast<unsigned char>(text[0]);
  if (c == '"' || c == '\\') {
    *out++ = '\\';
    *out++ = static_cast<char>(c);
    return 1;
  }
  if (c < 0x20) {
    out = put(out, "\\u00");
    *out++ = kHex[c >> 4];
    *out++ = kHex[c & 15];
    return 1;
  }
  const std::size_t length = c < 0x80 ? 1 : utf8_length(text);
  out = length == 0 ? put(out, "\\ufffd") : put(out, text.substr(0, length));
  return length == 0 ? 1 : length;
}

char* put_escaped(char* out, std::string_view text) {
  while (!text.empty()) {
    while (text.size() >= 8) {
      std::uint64_t word;
      std::memcpy(&word, text.data(), 8);
      if (!plain(word)) break;
      std::memcpy(out, &word, 8);
      out += 8;
      text.remove_prefix(8);
    }
    for (std::size_t i = 0; i < 8 && !text.empty(); ++i) text.remove_prefix(put_special(out, text));
  }
  return out;
}

// Appends members to one object. `key` holds the comma, quotes and colon: `,"host":`.
class Members {
 public:
  explicit Members(char* out) : out_(out) {}
  void text(std::string_view key, std::string_view value) {
    out_ = put(out_, key);
    *out_++ = '"';
    out_ = put_escaped(out_, value);
    *out_++ = '"';
  }
  void number(std::string_view key, std::uint64_t value) {
    out_ = put(out_, key);
    digits(value);
  }
  // Seconds with three decimals, as nginx writes them.
  void seconds(std::string_view key, base::Duration value) {
    const auto all = std::chrono::duration_cast<std::chrono::milliseconds>(value).count();
    const auto millis = static_cast<std::uint64_t>(all > 0 ? all : 0);
    number(key, millis / 1000);
    *out_++ = '.';
    *out_++ = static_cast<char>('0' + millis / 100 % 10);
    *out_++ = static_cast<char>('0' + millis / 10 % 10);
    *out_++ = static_cast<char>('0' + millis % 10);
  }
  char* end(std::string_view text) { return put(out_, text); }

 private:
  void digits(std::uint64_t value) { out_ = std::to_chars(out_, out_ + 20, value).ptr; }
  char* out_;
};

void write_upstream(Members& out, const ExchangeRecord& record) {
  out.text(",\"upstream\":", cut(record.upstream, LogLine::kMostText));
  out.text(",\"cluster\":", cut(record.cluster, LogLine::kMostText));
  out.number(",\"upstream_status\":", static_cast<std::uint64_t>(record.upstream_status));
  out.seconds(",\"upstream_connect_time\":", record.upstream_connect);
  out.seconds(",\"upstream_header_time\":", record.upstream_header);
  out.seconds(",\"upstream_response_time\":", record.upstream_time);
  out.number(",\"attempts\":", record.attempts);
}

void write_request(Members& out, const ExchangeRecord& record) {
  out.text(",\"client\":", cut(record.client, LogLine::kMostText));
  out.text(",\"user\":", cut(record.user, LogLine::kMostText));
  out.text(",\"method\":", cut(record.method, LogLine::kMostText));
  out.text(",\"host\":", cut(record.host, LogLine::kMostText));
  out.text(",\"target\":", cut(record.target, LogLine::kMostTarget));
  out.text(",\"protocol\":", cut(record.protocol, LogLine::kMostText));
  if (!record.listener.empty()) {
    out.text(",\"listener\":", cut(record.listener, LogLine::kMostText));
  }
  out.number(",\"status\":", static_cast<std::uint64_t>(record.status));
  out.number(",\"request_length\":", record.request_bytes);
  out.number(",\"bytes_sent\":", record.response_bytes);
  out.number(",\"body_bytes_sent\":", record.response_body_bytes);
  out.seconds(",\"request_time\":", record.request_time);
  out.text(",\"referer\":", cut(record.referer, LogLine::kMostText));
  out.text(",\"user_agent\":", cut(record.user_agent, LogLine::kMostText));
  out.text(",\"request_id\":", cut(record.request_id, LogLine::kMostText));
}

}  // namespace

std::size_t LogLine::bound(const ExchangeRecord& record) {
  std::size_t text = cut(record.target, kMostTarget).size();
  for (const std::string_view part :
       {record.client, record.user, record.method, record.host, record.protocol, record.referer,
        record.user_agent, record.request_id, record.upstream, record.cluster, record.error,
        record.listener}) {
    text += cut(part, kMostText).size();
  }
  if (record.route != nullptr) {
    for (const std::string* part :
         {&record.route->ns, &record.route->ingress, &record.route->service}) {
      text += cut(*part, kMostText).size();
    }
  }
  return kFrame + kWorstEscape * text;
}

void LogLine::set_time(base::WallTime now) {
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  if (millis / 1000 != second_) {
    second_ = millis / 1000;
    const std::string text = base::format_rfc3339(second_);  // "2026-01-02T03:04:05Z"
    std::memcpy(time_.data(), text.data(), 19);
    time_[19] = '.';
    time_[23] = 'Z';
  }
  const auto fraction = static_cast<unsigned>(millis % 1000);
  time_[20] = static_cast<char>('0' + fraction / 100);
  time_[21] = static_cast<char>('0' + fraction / 10 % 10);
  time_[22] = static_cast<char>('0' + fraction % 10);
}

char* LogLine::write(const ExchangeRecord& record, base::WallTime now, char* out) {
  set_time(now);
  Members members(out);
  members.text("{\"time\":", {time_.data(), time_.size()});
  write_request(members, record);
  if (record.route != nullptr) {
    members.text(",\"namespace\":", cut(record.route->ns, kMostText));
    members.text(",\"ingress\":", cut(record.route->ingress, kMostText));
    members.text(",\"service\":", cut(record.route->service, kMostText));
  }
  write_upstream(members, record);
  if (!record.error.empty()) members.text(",\"error\":", cut(record.error, kMostText));
  return members.end(record.tls ? ",\"tls\":true}\n" : ",\"tls\":false}\n");
}

}  // namespace weir::observe
