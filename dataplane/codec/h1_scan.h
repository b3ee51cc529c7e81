#pragma once

#include <cstddef>
#include <string_view>

namespace weir::codec {

// Character classes of HTTP (RFC 9110 section 5.6.2, RFC 3986) and the search for the byte that
// ends or breaks a line. Any thread.

bool is_token_char(char c);            // tchar
bool is_token(std::string_view text);  // one or more tchar
bool is_digit(char c);
bool is_blank(char c);  // SP or HTAB
// What a request target may hold here: visible ASCII but '#'. RFC 3986 allows less; what browsers
// send beyond it ('|', '{', '"' …) passes, raw bytes above 0x7f do not.
bool is_target_char(char c);
bool is_reg_name_char(char c);  // letters, digits, "-._~"
char lower(char c);             // ASCII
// Equal but for the case of ASCII letters; lower_name is in lower case.
bool same_name(std::string_view name, std::string_view lower_name);

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
