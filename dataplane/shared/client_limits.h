#pragma once

#include "dataplane/shared/count_table.h"
#include "dataplane/shared/rate_table.h"

namespace weir::shared {

// What the process keeps of its clients, by address: rates and open requests of every limit of
// every route. Lives through every change of configuration. Any thread.
struct ClientLimits {
  RateTable rates{base::system_clock().now()};
  CountTable open;
};

}  // namespace weir::shared
