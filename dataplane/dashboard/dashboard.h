#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/base/metrics.h"
#include "dataplane/admin/page_thread.h"
#include "dataplane/exchange/snapshot.h"

namespace weir::dashboard {

// The page on a port and a thread of its own: however much it has to tell, no probe, scrape or
// request waits for it. Read-only. Clients must ask by address (Pages::refuse_names), so that a web
// page elsewhere cannot read it through a visitor's browser.
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
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

 private:
  void add_pages();

  Parts parts_;
  admin::Pages pages_;
  std::optional<admin::PageThread> thread_;  // reads what stands above
};

}  // namespace weir::dashboard
