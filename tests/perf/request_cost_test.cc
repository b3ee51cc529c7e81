// What a request may cost, counted, not timed.

#include <gtest/gtest.h>

#include "tests/perf/stage.h"

namespace weir::perf {
namespace {

struct Case {
  std::string name;
  Setting setting;
  double calls;        // most, of a request
  double allocations;  // most, of a request
};

TEST(RequestCost, SystemCallsAndAllocationsStayWithinTheirBounds) {
  // OpenSSL gives its buffers back behind every record, so that an idle connection is small: those
  // are its allocations.
  for (const Case& c : {
           Case{"plain", {}, 4.2, 0},
           Case{"plain, loaded", {false, true, 64, 100, 128}, 4.2, 0},
           Case{"plain, 8 KiB", {false, false, 64, 10, 8'192}, 4.2, 0},
           Case{"TLS", {true, false, 64, 10, 128}, 4.2, 7},
           Case{"TLS, loaded", {true, true, 64, 100, 128}, 4.2, 7},
       }) {
    SCOPED_TRACE(c.name);
    Stage stage(c.setting);
    const RoundCost cost = cost_of_a_round(stage);
    EXPECT_TRUE(stage.good());
    EXPECT_LE(cost.calls, c.calls) << cost.names;
    EXPECT_GE(cost.calls, 4.0) << "the counters do not count: " << cost.names;
    // On a busy machine the rounds take seconds: what happens once a second is not the request's.
    EXPECT_LE(cost.allocations, c.allocations + 0.01);
    std::printf("%s: %.2f calls, %.2f allocations (%s)\n", c.name.c_str(), cost.calls,
                cost.allocations, cost.names.c_str());
  }
}

}  // namespace
}  // namespace weir::perf
