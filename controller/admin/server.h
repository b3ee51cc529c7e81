#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/metrics.h"
#include "common/base/result.h"
#include "common/loop/loop.h"

namespace weir::admin {

// What the admin port asks of the controller. All calls run on the loop's thread.
class AdminTarget {
 public:
  virtual ~AdminTarget() = default;
  // For people, "ready" in the first line, once synced and the dataplane has acknowledged a first
  // state; empty before. Other replicas that are waited for are named, but do not count.
  virtual std::string readiness() const = 0;
  virtual std::string metrics() const = 0;  // Prometheus text format
  virtual std::string reports() const = 0;  // JSON list of what is wrong, by object
};

// Health and metrics of the controller by cpp-httplib, on threads of its own: GET /healthz,
// /readyz, /metrics, /reports. Read-only, no secrets. Each request is answered from the loop's
// thread; a loop that does not answer within 3 s makes /healthz fail, which is what restarts a
// stuck controller.
class AdminServer {
 public:
  // loop, target: borrowed for the server's life.
  AdminServer(loop::Loop& loop, const AdminTarget& target);
  ~AdminServer();  // stops and joins

  // errors: kSystem naming the address and port.
  base::Result<void> start(const std::string& address, std::uint16_t port);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::admin
