#include "controller/annotations/address_list.h"

#include "common/base/cidr.h"
#include "common/base/text.h"

namespace weir::annotations {

base::Result<std::vector<std::string>> parse_addresses(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string_view part : base::split(text, ',')) {
    out.emplace_back(base::trim(part));
    auto range = base::Cidr::parse(out.back());
    if (!range.ok()) return std::move(range).error();
  }
  return out;
}

std::optional<Found> find_first(const FeatureInput& input,
                                std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (auto found = find(input, key)) return found;
  }
  return std::nullopt;
}

}  // namespace weir::annotations
