#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controller/publish/pipeline.h"
#include "controller/publish/session.h"
#include "controller/status/replicas.h"

namespace weir::status {

// Tells the cluster what became of its objects: addresses in the status of Ingresses once the
// dataplane serves them, and Events for reports. Only the leader writes. One loop thread.
class Status {
 public:
  virtual ~Status() = default;
  // All are borrowed for the object's life.
  virtual void start(const publish::Pipeline& pipeline, const publish::Session& session,
                     const Replicas& replicas) = 0;
  virtual void on_changes(const translate::Engine::Changes& changes) = 0;
  virtual void on_applied() = 0;  // the session's live state moved, or that of another replica
  virtual void on_refused(
      const std::vector<wire::Reason>& reasons) = 0;         // told to the owners of the resources
  virtual void stop(base::UniqueFunction<void()> done) = 0;  // gives the lease back
  virtual bool is_leader() const = 0;
};

}  // namespace weir::status
