#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::codec {

// Character classes of HTTP (RFC 9110 section 5.6.2, RFC 3986) and the search for the byte that
// ends or breaks a line. Inline: they run once for each byte of names and targets. Any thread.

enum CharClass : std::uint8_t {
  kTokenChar = 1,    // tchar
  kTargetChar = 2,   // visible ASCII but '#'
  kRegNameChar = 4,  // letters, digits, "-._~"
  kControlChar = 8,  // below 0x20 but HTAB, and 0x7f
};

constexpr std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const auto in = [c](std::string_view set) {
      return set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    const bool is_alnum =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    unsigned bits = 0;
    if (is_alnum || in("!#$%&'*+-.^_`|~")) bits |= kTokenChar;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTargetChar;
    if (is_alnum || in("-._~")) bits |= kRegNameChar;
    if ((c < 0x20 && c != '\t') || c == 0x7f) bits |= kControlChar;
    classes[c] = static_cast<std::uint8_t>(bits);
  }
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();

inline bool is_in(char c, CharClass wanted) {
  return (kCharClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}
inline bool is_token_char(char c) { return is_in(c, kTokenChar); }
// What a request target may hold here. RFC 3986 allows less; what browsers send beyond it ('|',
// '{',
// '"' …) passes, raw bytes above 0x7f do not.
inline bool is_target_char(char c) { return is_in(c, kTargetChar); }
inline bool is_reg_name_char(char c) { return is_in(c, kRegNameChar); }
inline bool is_control_char(char c) { return is_in(c, kControlChar); }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline char lower(char c) {  // ASCII
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
bool is_token(std::string_view text);  // one or more tchar

// Equal but for the case of ASCII letters; lower_name is in lower case.
inline bool same_name(std::string_view name, std::string_view lower_name) {
  if (name.size() != lower_name.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (lower(name[i]) != lower_name[i]) return false;
  }
  return true;
}

// Index of the first control byte (below 0x20 but HTAB, or 0x7f), so also of CR and LF; the size
// when there is none. Reads nothing beyond the text. 16 bytes a step on x86-64.
std::size_t find_control(std::string_view text);

// Calls visit(element) for each element of a comma-separated list, blanks around it removed; empty
// elements too. Stops when visit returns false, and says so.
template <typename Visit>
bool each_in_list(std::string_view list, Visit&& visit) {
  for (;;) {
    const std::size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    while (!item.empty() && is_blank(item.front())) item.remove_prefix(1);
    while (!item.empty() && is_blank(item.back())) item.remove_suffix(1);
    if (!visit(item)) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace weir::codec
