#pragma once

#include <optional>
#include <vector>

#include "common/base/metrics.h"
#include "dataplane/admin/page_thread.h"

namespace weir::admin {

// Health, metrics and dump on a thread of their own: nothing that a worker or a slow client does
// can hold up a probe.
//
//   TCP: /healthz (the thread runs), /readyz (ready), /metrics.   Unix socket: /dump.
class Admin {
 public:
  struct Parts {
    base::UniqueFd tcp;
    base::UniqueFd dump;                 // empty: no dump
    base::UniqueFunction<bool()> ready;  // these three are called on the admin thread
    base::UniqueFunction<std::string()> dump_text;
    std::vector<const base::MetricSource*> metrics;  // borrowed
    worker::Offload& offload;
    unsigned index = 0;  // of the worker that the thread is
  };
  explicit Admin(Parts parts);
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

 private:
  Parts parts_;
  Pages public_pages_;
  Pages dump_pages_;
  std::optional<PageThread> thread_;  // reads what stands above
};

}  // namespace weir::admin
