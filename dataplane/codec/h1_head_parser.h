#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/codec/codec.h"
#include "dataplane/codec/h1_refusal.h"
#include "dataplane/codec/h1_start_line.h"

namespace weir::codec {

// Reads one section of field lines: the head of a request or response, or the trailers of a chunked
// body (RFC 9112 sections 2 to 5, 7.1.2). Lines end with CRLF and nothing else; no line folding, no
// space before the colon, no control byte but HTAB.
//
// The verdict is a function of the bytes, not of how they arrive: each line is judged when its last
// byte is there, control bytes and limits at the byte that breaks them.
class HeadParser {
 public:
  enum class Kind : std::uint8_t { kRequest, kResponse, kTrailers };
  enum class Progress : std::uint8_t { kNeedMore, kDone, kBad };

  // context: borrowed for the parser's life.
  explicit HeadParser(const SessionContext& context) : context_(context) {}
  explicit HeadParser(SessionContext&& context) = delete;

  void start(Kind kind);
  // bytes: the section from its first byte; on later calls the same bytes and more behind them.
  // Work already done is not repeated.
  Progress parse(std::string_view bytes);

  bool started() const { return scanned_ > 0 || head_ != nullptr; }
  std::size_t size() const { return line_at_; }  // of the section, when done
  const Refusal& refusal() const { return refusal_; }
  const AbsoluteTarget& absolute() const { return absolute_; }
  // The head, its block filled from bytes (the whole section, or when bad what is there of it);
  // null for trailers without any line. When bad: what could be read, null when not even a start
  // line. Of an absolute-form target, authority() is the target's.
  HeadPtr take_head(std::string_view bytes);

 private:
  Progress bad(Refusal refusal);
  std::size_t line_limit() const;
  Refusal over_limit(std::string_view bytes) const;
  Refusal read_line(std::string_view bytes, std::size_t end);
  Refusal read_field(std::string_view bytes, std::size_t end);

  const SessionContext& context_;
  HeadPtr head_;
  std::size_t line_at_ = 0;  // start of the line that is being read
  std::size_t scanned_ = 0;  // up to here no control byte was found
  Refusal refusal_;
  AbsoluteTarget absolute_;
  Kind kind_ = Kind::kRequest;
  bool has_start_line_ = false;
};

}  // namespace weir::codec
