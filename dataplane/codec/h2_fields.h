#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/codec/codec.h"
#include "dataplane/codec/h1_refusal.h"

namespace weir::codec {

// What an entry of a field list costs beside its name and value (RFC 9113 section 6.5.2).
inline constexpr std::size_t kH2EntryCost = 32;

// Gathers one HTTP/2 field section as nghttp2 decodes it, in its on_header callback: one section at
// a time, since no other frame may come between its frames. Count and decoded bytes are capped here
// (nghttp2 does not hold the limit that it advertises): what is over is not stored. Every cookie
// crumb counts; they are joined into one field (RFC 9113 section 8.2.3). One thread.
class H2FieldReader {
 public:
  enum class Kind : std::uint8_t { kRequest, kResponse, kTrailers };

  bool open() const { return head_ != nullptr; }
  // context: borrowed until take().
  void start(Kind kind, const SessionContext& context);
  // False: malformed (RFC 9113 section 8.1.1), the stream is to be reset with PROTOCOL_ERROR.
  bool add(std::string_view name, std::string_view value);
  // The section is over any limit by so much that its decoding itself is abuse.
  bool is_bomb() const;
  bool malformed() const { return malformed_; }

  // After the last field. Sets what the pseudo-fields and Host say: method, target, authority of a
  // request; the status of a response. Forbidden trailers are dropped.
  //   returns: why the message is refused: 400, 414, 431 or 501 for a request, 502 for a response.
  Refusal finish();
  std::string_view protocol() const { return protocol_; }  // ":protocol" (RFC 8441), or empty
  HeadPtr take();                                          // ends the section; never null

 private:
  bool add_pseudo(std::string_view name, std::string_view value);
  Refusal finish_request();
  Refusal judge_target() const;
  Refusal judge_authority();

  const SessionContext* context_ = nullptr;
  HeadPtr head_;
  Kind kind_ = Kind::kRequest;
  std::size_t fields_ = 0;
  std::size_t bytes_ = 0;
  bool malformed_ = false;
  bool over_fields_ = false;
  bool over_bytes_ = false;
  bool over_target_ = false;
  bool has_authority_ = false;
  bool is_https_ = false;
  bool bad_scheme_ = false;
  std::string cookie_;
  std::string protocol_;
};

// A field section to send: nghttp2's array and the texts that it points to. Names in lower case.
// nghttp2_submit_* copies both. One thread; reuse one object, its blocks are kept.
class H2FieldList {
 public:
  void clear();
  // value: borrowed until submitted. name: a literal in lower case.
  void add_literal(std::string_view name, std::string_view value);
  void add_status(int status);           // ":status"
  void add_length(std::uint64_t bytes);  // "content-length"
  // Every field but the connection-level ones (RFC 9113 section 8.2.2).
  void add_fields(const Head& head);
  void add_trailers(const Head& trailers);  // without forbidden ones
  const nghttp2_nv* data() const { return fields_.data(); }
  std::size_t size() const { return fields_.size(); }

 private:
  void add(const FieldView& field);
  std::string_view lowered(std::string_view name);

  std::vector<nghttp2_nv> fields_;
  std::string names_;  // lower-case spellings; never grows while views into it are out
  std::string digits_;
};

// The worker thread's own list, cleared: none is used across calls.
H2FieldList& h2_scratch_fields();

// The declared length of a body (RFC 9110 section 8.6); nothing when there is none. nghttp2 has
// checked that it is one number, and holds the DATA frames to it.
std::optional<std::uint64_t> h2_content_length(const Head& head);

}  // namespace weir::codec
