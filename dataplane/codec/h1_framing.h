#pragma once

#include <cstdint>

#include "dataplane/codec/codec.h"
#include "dataplane/codec/h1_refusal.h"
#include "dataplane/codec/h1_start_line.h"

namespace weir::codec {

// How a body ends on an HTTP/1 connection (RFC 9112 section 6.3).
struct Framing {
  enum class Kind : std::uint8_t { kNone, kKnown, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t bytes = 0;  // of kKnown, > 0
  BodyLength length() const {
    if (kind == Kind::kKnown) return BodyLength::known(bytes);
    return kind == Kind::kNone ? BodyLength::none() : BodyLength::unknown();
  }
};

// What the fields of a received head say about its connection and body.
struct HeadFacts {
  Framing framing;
  bool keeps_connection = false;  // by version and Connection (RFC 9112 section 9.3)
  bool asks_upgrade = false;      // HTTP/1.1 with Upgrade, and Connection naming it
  bool is_suspect = false;  // a response without a body that speaks of one: what follows is unsure
};

// Judges the fields of a request: Host against the target (sets authority()), Content-Length,
// Transfer-Encoding. One reading or none: both framings, a repeated or malformed Content-Length,
// any coding but one final "chunked" are refused.
Refusal judge_request(Head& head, const AbsoluteTarget& absolute, HeadFacts& facts);

// The same for a response; answers_head: the request was HEAD. Statuses 1xx, 204 and 304 have no
// body whatever their fields say.
Refusal judge_response(const Head& head, bool answers_head, HeadFacts& facts);

}  // namespace weir::codec
