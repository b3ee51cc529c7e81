#pragma once

#include <string>
#include <vector>

#include "controller/annotations/reader.h"

namespace weir::annotations {

inline constexpr std::string_view kAddressesForm =
    "must be IP addresses and ranges separated by ',' (\"10.0.0.0/8, fd00::/8\")";

// "10.0.0.0/8, 192.0.2.7": the ranges of a list, blanks around them removed.
//   errors: kInvalid of the first bad entry; an empty list and an empty entry are bad.
base::Result<std::vector<std::string>> parse_addresses(std::string_view text);

// The first of the keys that is there: a key and its aliases.
std::optional<Found> find_first(const FeatureInput& input,
                                std::initializer_list<std::string_view> keys);

}  // namespace weir::annotations
