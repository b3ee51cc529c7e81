#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "common/base/metrics.h"
#include "dataplane/admin/door.h"

namespace weir::admin {

// Health, metrics and dump on a thread, a loop and a budget of their own: nothing that a worker or
// a slow client does can hold up a probe.
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
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

 private:
  void run();

  Parts parts_;
  base::ProcessBudget budget_;  // apart from the process's, so that probes work when it is used up
  worker::Worker worker_;
  Pages public_pages_;
  Pages dump_pages_;
  std::thread thread_;
};

}  // namespace weir::admin
