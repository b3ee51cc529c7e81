#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/routing/route_table.h"

namespace weir::routing {

// For tools that ask the table about a request which nobody sent.

// Its headers. headers: borrowed; names in lower case.
class DescribedFields final : public RequestFields {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  explicit DescribedFields(const Headers& headers) : headers_(headers) {}
  std::optional<std::string_view> header(std::string_view lower_name) const override;

 private:
  const Headers& headers_;
};

// "matched", or the status and why, for people.
std::string_view text_of(Outcome outcome);

}  // namespace weir::routing
