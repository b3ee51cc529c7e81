#include "common/routing/described.h"

namespace weir::routing {

std::optional<std::string_view> DescribedFields::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers_) {
    if (name == lower_name) return value;
  }
  return std::nullopt;
}

std::string_view text_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kMatched:
      return "matched";
    case Outcome::kNoHost:
      return "404: no host takes this name";
    case Outcome::kNoRoute:
      return "404: the host has no rule for this request";
    case Outcome::kBadPath:
      return "400: the path has a broken escape, a NUL or climbs above the root";
    case Outcome::kTwoReadings:
      return "400: the path can be read in two ways that reach different rules";
  }
  return "";
}

}  // namespace weir::routing
