#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "common/base/metrics.h"
#include "dataplane/admin/door.h"
#include "dataplane/exchange/snapshot.h"

namespace weir::dashboard {

// The page on a port, a thread, a loop and a budget of its own: however much it has to tell, no
// probe, scrape or request waits for it. Read-only. Clients must ask by address (Pages::
// refuse_names), so that a web page elsewhere cannot read it through a visitor's browser.
//
//   /, /app.js, …: the page.   /api/overview, /api/routes, /api/endpoints, /api/certificates,
//   /api/traffic, /api/explain: JSON (api.h, ask.h).
class Dashboard {
 public:
  struct Parts {
    base::UniqueFd tcp;
    // Called on the dashboard's thread. Null: nothing is configured yet.
    base::UniqueFunction<std::shared_ptr<const exchange::Snapshot>()> current;
    std::vector<const base::MetricSource*> metrics;  // borrowed; of requests and connections
    worker::Offload& offload;
    unsigned index = 0;  // of the worker that the thread is
  };
  explicit Dashboard(Parts parts);
  ~Dashboard();
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

 private:
  void add_pages();
  void run();

  Parts parts_;
  base::ProcessBudget budget_;
  worker::Worker worker_;
  admin::Pages pages_;
  std::thread thread_;
};

}  // namespace weir::dashboard
