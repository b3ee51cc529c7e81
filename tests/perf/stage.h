#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "dataplane/snapshot/builder.h"
#include "dataplane/worker_thread.h"

namespace weir::perf {

struct Setting {
  bool tls = false;
  bool loaded = false;  // an access log, hosts, and connection limits
  std::size_t clients = 64;
  std::size_t hosts = 10;
  std::size_t body = 128;  // bytes of an answer
  bool fresh = false;      // each round comes on new connections
};

// One real worker whose loop is turned by hand, clients and an origin beside it, all on one thread:
// what a request costs is counted exactly, whatever else the machine does.
class Stage {
 public:
  explicit Stage(const Setting& setting);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // Every client asks once and gets its answer. The worker's share, two turns of its loop, runs
  // inside turn_worker().
  void round();
  // False when an answer was missing or not 200.
  bool good() const { return good_; }
  const Setting& setting() const { return setting_; }

 private:
  struct Client {
    base::UniqueFd fd;
    SSL* ssl = nullptr;
    std::size_t asked = 0;
  };

  snapshot::Swap configure();
  void connect_clients();
  void leave();
  void shake_hands(Client& client);
  void answer_all();
  bool hear(Client& client);
  [[gnu::noinline]] void turn_worker();

  const Setting setting_;
  base::ProcessBudget budget_;
  worker::Offload offload_{1, 16};
  shared::ConnectionCaps caps_;
  shared::ClientLimits limits_;
  observe::Labels labels_;
  std::unique_ptr<observe::AccessLog> log_;
  observe::SpanExporter spans_{1, ""};
  const std::string zone_;
  snapshot::Generations generations_;
  snapshot::Builder builder_;
  WorkerThread worker_;
  base::UniqueFd origin_;
  std::uint16_t origin_port_ = 0;
  std::vector<base::UniqueFd> upstreams_;  // the origin's ends
  std::string answer_;
  std::vector<Client> clients_;
  SSL_CTX* tls_ = nullptr;
  base::SocketAddress address_;
  bool good_ = true;
};

// Counts of one steady round, after warm-up.
struct RoundCost {
  double calls = 0;        // of a request
  double allocations = 0;  // of a request
  std::string names;
};
RoundCost cost_of_a_round(Stage& stage);

}  // namespace weir::perf
