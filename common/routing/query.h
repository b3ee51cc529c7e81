#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::routing {

// Reading of "a=1&b=2" as forms send it: %xx decoded, '+' is a blank, a broken escape stays.

// The still encoded value of the first parameter of this (decoded) name; "name" without '=' has an
// empty one. No allocation.
std::optional<std::string_view> query_value(std::string_view query, std::string_view name);
// Whether encoded stands for plain. No allocation.
bool decodes_to(std::string_view encoded, std::string_view plain);
std::string decode_query(std::string_view encoded);

}  // namespace weir::routing
