#pragma once

#include <cstddef>
#include <vector>

#include "common/loop/loop.h"

namespace weir::exchange {

class Exchange;

// Requests of one iteration of the loop that wait to be routed together. In a table of 100,000
// hosts each step of a lookup waits for memory; here each step is taken for several requests before
// the next one, so that their waits overlap. They are routed before the iteration ends. One worker.
class RouteQueue final : public loop::Flushable {
 public:
  // exchange: borrowed until it was routed, or until forget().
  void add(Exchange& exchange, loop::Loop& loop);
  void forget(const Exchange& exchange);
  void flush() override;

 private:
  static constexpr std::size_t kTogether = 16;  // what they read fits into the first cache
  void route(std::size_t first, std::size_t last);

  std::vector<Exchange*> waiting_;
  std::vector<Exchange*> routing_;  // null: is routed, or gone
};

}  // namespace weir::exchange
