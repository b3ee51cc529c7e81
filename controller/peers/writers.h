#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "controller/peers/secret_writer.h"

namespace weir::peers {

// The Secrets that replicas share. Each of these keeps one of them: writes it where it holds
// nothing of use, and rotates it when its period is over.

struct SharedSecret {
  std::string ns;
  std::string name;
  std::chrono::seconds period;
};

// The session ticket keys (controller/ingress/ticket_keys.h).
std::unique_ptr<SecretWriter> make_ticket_writer(kubernetes::ApiClient& client,
                                                 const SharedSecret& secret,
                                                 const store::Store& store,
                                                 base::UniqueFunction<bool()> may_write);

// The authorities of the peers channel (authority_ring.h). A Secret of its own: who may read the
// ticket keys of a host's clients has no business with the replicas' trust, and neither writer
// meets the other's conflicts.
std::unique_ptr<SecretWriter> make_authority_writer(kubernetes::ApiClient& client,
                                                    const SharedSecret& secret,
                                                    const store::Store& store,
                                                    base::UniqueFunction<bool()> may_write);

}  // namespace weir::peers
