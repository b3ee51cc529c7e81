#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::routing {

// How origins may read one path, so that a request cannot reach one route here and another place
// behind it. What they do with the odd spellings:
//
//   %2f   some decode it to '/', some keep it          '\', %5c   some take it for '/'
//   ;     some cut "…;x" out of each segment,          %25xx      some decode twice
//         before or after decoding                     //, ..     merged before or after dots are
//   overlong UTF-8 (%c0%af): some decode it to ASCII:             resolved, or dots left alone
//         no use but attack, always a bad path
//
// Every combination that the path can express is one reading. All must reach the same route.

// True when every origin reads the path as it stands: begins with '/', no '%', "//", "/./", "/..",
// '\', ';', '#', blank, control or non-ASCII byte. One scan, no allocation.
bool is_clean(std::string_view path);

struct Readings {
  enum class State {
    kGood,
    kBad,     // NUL, control byte, '#', broken escape, overlong UTF-8, a reading above the root
    kTooMany  // comparing all readings would cost more than kMostWork bytes
  };
  static constexpr std::size_t kMostWork = 64 * 1024;

  State state = State::kGood;
  std::vector<std::string> texts;  // distinct; the first is as_written()
};
Readings readings_of(std::string_view path);

// The path with only those escapes decoded whose bytes can not stand in a URI at all (RFC 3986
// pchar): blank, non-ASCII, '"', '<', '>', '^', '`', '{', '|', '}', '[', ']'. There is no other
// spelling of these, so "/caf%C3%A9" and a route "/café" are the same path. Broken escapes stay.
std::string as_written(std::string_view path);

}  // namespace weir::routing
