#pragma once

#include <cstddef>
#include <string_view>

#include "dataplane/codec/h1_refusal.h"
#include "dataplane/codec/head.h"

namespace weir::codec {

// Longest method; every registered one is shorter (RFC 9110 section 9, IANA registry: 17).
inline constexpr std::size_t kLongestMethod = 32;

// The first line of a message: a view of the whole section that the head's offsets count from, and
// where the line lies in it, without CRLF. It holds no control byte but HTAB.
struct StartLine {
  std::string_view section;
  std::size_t at;
  std::size_t size;
};

// Reads "METHOD SP target SP HTTP/1.x" (RFC 9112 section 3), one space each, into head: method,
// target in origin-form or "*", version. An absolute-form target is split: `absolute` gets its
// authority and scheme.
struct AbsoluteTarget {
  std::size_t authority_at = 0;
  std::size_t authority_size = 0;  // 0: the target was not in absolute-form
  bool is_https = false;
  bool bare = false;  // no path: the target is "/" and what follows the authority
};
Refusal read_request_line(const StartLine& line, std::size_t target_limit, Head& head,
                          AbsoluteTarget& absolute);

// Reads "HTTP/1.x SP 3DIGIT [SP reason]" (RFC 9112 section 4). A missing space before an empty
// reason is accepted: servers in wide use leave it out.
Refusal read_status_line(const StartLine& line, Head& head);

}  // namespace weir::codec
