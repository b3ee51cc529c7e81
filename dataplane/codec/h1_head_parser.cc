#include "dataplane/codec/h1_head_parser.h"

#include <algorithm>
#include <string>
#include <utility>

#include "dataplane/codec/h1_scan.h"

namespace weir::codec {
namespace {

// Method, two spaces, version and CRLF around the target.
constexpr std::size_t kAroundTarget = kLongestMethod + 12;

}  // namespace

void HeadParser::start(Kind kind) {
  head_.reset();
  line_at_ = scanned_ = 0;
  refusal_ = {};
  absolute_ = {};
  kind_ = kind;
  has_start_line_ = kind == Kind::kTrailers;
}

HeadParser::Progress HeadParser::parse(std::string_view bytes) {
  for (;;) {
    const std::size_t limit = line_limit();
    const std::string_view window = bytes.substr(0, limit);
    const std::size_t at = scanned_ + find_control(window.substr(scanned_));
    const bool is_last = at + 1 >= window.size();  // nothing, or only a CR, at the window's end
    if (at < window.size() && window[at] != '\r') {
      return bad(
          {400, window[at] == '\n' ? "head: a line ends with LF alone" : "head: a control byte"});
    }
    if (is_last) {
      scanned_ = std::min(at, window.size());
      return window.size() < limit ? Progress::kNeedMore : bad(over_limit(bytes));
    }
    if (window[at + 1] != '\n') return bad({400, "head: a CR without LF"});
    const bool is_end = has_start_line_ && at == line_at_;
    if (!is_end) {
      if (const Refusal refusal = read_line(bytes, at)) return bad(refusal);
    }
    line_at_ = scanned_ = at + 2;
    if (is_end) return Progress::kDone;
  }
}

HeadPtr HeadParser::take_head(std::string_view bytes) {
  if (head_ == nullptr) return nullptr;
  head_->assign_block(bytes);
  if (absolute_.authority_size > 0) {
    head_->set_authority_in_block(absolute_.authority_at, absolute_.authority_size);
  }
  if (absolute_.bare) {
    // "http://host" and "http://host?q" have no path of their own (RFC 9112 section 3.2.1).
    head_->set_target(std::string("/").append(head_->target()));
  }
  return std::move(head_);
}

HeadParser::Progress HeadParser::bad(Refusal refusal) {
  refusal_ = refusal;
  return Progress::kBad;
}

std::size_t HeadParser::line_limit() const {
  const std::size_t whole = context_.limits.head_bytes;
  if (kind_ != Kind::kRequest || has_start_line_) return whole;
  return std::min(whole, context_.limits.target_bytes + kAroundTarget);
}

Refusal HeadParser::over_limit(std::string_view bytes) const {
  if (kind_ != Kind::kRequest || has_start_line_) return {431, "head: over the limit of bytes"};
  const std::size_t space = bytes.substr(0, kLongestMethod + 1).find(' ');
  if (space == std::string_view::npos || !is_token(bytes.substr(0, space))) {
    return {400, "request line: the method is no token of at most 32 bytes"};
  }
  return {414, "request line: the target is over the limit"};
}

Refusal HeadParser::read_line(std::string_view bytes, std::size_t end) {
  if (head_ == nullptr) head_ = context_.heads.take();
  if (has_start_line_) return read_field(bytes, end);
  has_start_line_ = true;
  const StartLine line{bytes, line_at_, end - line_at_};
  if (kind_ == Kind::kResponse) return read_status_line(line, *head_);
  return read_request_line(line, context_.limits.target_bytes, *head_, absolute_);
}

Refusal HeadParser::read_field(std::string_view bytes, std::size_t end) {
  const char* const at = bytes.data();
  std::size_t colon = line_at_;
  while (colon < end && is_token_char(at[colon])) ++colon;
  if (colon == line_at_ || colon == end || bytes[colon] != ':') {
    if (is_blank(bytes[line_at_])) return {400, "head: a folded line"};
    return {400, "head: a line that is no \"name: value\" with a token as name"};
  }
  if (head_->field_count() >= context_.limits.fields) return {431, "head: too many fields"};
  std::size_t value = colon + 1;
  while (value < end && is_blank(at[value])) ++value;
  while (end > value && is_blank(at[end - 1])) --end;
  const std::string_view name = bytes.substr(line_at_, colon - line_at_);
  head_->add_in_block(line_at_, name.size(), value, end - value, field_id(name));
  return {};
}

}  // namespace weir::codec
