#pragma once

#include <nghttp2/nghttp2.h>

#include "common/base/budget.h"

namespace weir::codec {

// The allocator of an nghttp2 session: malloc that charges every block, with its size in front, to
// the worker's byte budget. Borrows the budget, which outlives the session; must itself outlive the
// session. One thread.
class H2Memory {
 public:
  explicit H2Memory(base::WorkerBudget& budget);
  H2Memory(const H2Memory&) = delete;
  H2Memory& operator=(const H2Memory&) = delete;
  nghttp2_mem* allocator() { return &allocator_; }

 private:
  nghttp2_mem allocator_;
};

}  // namespace weir::codec
