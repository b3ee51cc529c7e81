#pragma once

#include "common/base/cidr.h"
#include "dataplane/exchange/exchange.h"

namespace weir::filters {

// Whether the real client's address lies in one of the ranges. What is no address lies in none.
inline bool comes_from(const base::CidrSet& ranges, const exchange::Exchange& exchange) {
  if (ranges.empty()) return false;
  const auto address = base::SocketAddress::parse(exchange.client().address, 0);
  return address.ok() && ranges.contains(address.value());
}

}  // namespace weir::filters
