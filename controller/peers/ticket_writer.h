#pragma once

#include <memory>
#include <string>

#include "controller/ingress/ticket_keys.h"
#include "controller/kubernetes/api_client.h"
#include "controller/store/store.h"

namespace weir::peers {

// Keeps the session ticket keys in the Secret that replicas share: writes them where there are none
// and rotates them when their period is over. Every replica, this one too, takes them from the
// Secret when its watch brings them (controller/ingress/ticket_keys.h), so a writer that dies in
// between leaves nothing half done.
//
// Who may write says the caller; that two write at once is excluded by the version that goes along
// with each write: one of them gets a conflict and looks again. A refusal is told once in the log,
// and tried again every half minute. One loop thread.
class TicketWriter {
 public:
  struct Place {
    std::string ns;
    std::string name;
    std::chrono::seconds period;
  };
  // client, store: borrowed. store: holds the Secret, if it is there.
  TicketWriter(kubernetes::ApiClient& client, Place place, const store::Store& store,
               base::UniqueFunction<bool()> may_write);

 private:
  void look();
  void write(const store::Secret& secret, const ingress::TicketRing& ring);
  void written(const base::Result<kubernetes::ApiResponse>& answer);
  void refused(const std::string& reason);

  kubernetes::ApiClient& client_;
  const Place place_;
  const store::Store& store_;
  base::UniqueFunction<bool()> may_write_;
  loop::Timer timer_;
  std::unique_ptr<kubernetes::ApiCall> call_;
  std::string told_;  // why the last write failed, already in the log
};

}  // namespace weir::peers
