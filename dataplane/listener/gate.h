#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/model/listener.h"
#include "dataplane/exchange/service.h"
#include "dataplane/exchange/snapshot.h"
#include "dataplane/transport/certificate_table.h"

namespace weir::listener {

// What the connections of one listener share of its configuration. Immutable.
struct Served {
  exchange::ListenerFacts facts;
  bool tls = false;
  bool proxy_protocol = false;  // trusted sources begin with a PROXY header
  // What is passed on as it is: everything of a TCP listener, TLS of known hosts of a TLS listener.
  bool passes_tcp = false;
  bool passes_tls = false;
  model::StreamRule stream;  // of a TCP listener
  bool is_http() const { return !passes_tcp && !passes_tls; }
  bool operator==(const Served&) const = default;
};

// One bind of one listener on one worker: what its connections are served with, always of the live
// snapshot. Outlives its socket as long as a connection of it is open. One thread.
class Gate final : public transport::CertificateChooser {
 public:
  // live: borrowed. port: of the bind; the public port when the listener names none.
  Gate(const exchange::LiveSnapshot& live, std::string listener, std::uint16_t port)
      : live_(live), listener_(std::move(listener)), port_(port) {}

  const std::string& listener() const { return listener_; }
  // Null while the live snapshot does not know the listener, or only as one for datagrams.
  std::shared_ptr<const Served> served();
  // Open connections close after their next answer. From here on the gate keeps what the live
  // snapshot says now: call it while that still knows the listener, so that a client whose
  // handshake is under way is not turned away.
  void start_drain();
  bool draining() const { return draining_; }

  // Whether the server name decides before the handshake: some host's TLS is passed through.
  bool asks_for_name() const;
  // Where a TLS client that names this server is passed on to; null: it is terminated here. Lives
  // as long as the live snapshot.
  const model::StreamRule* passthrough(std::string_view server_name) const;

  void choose(std::string_view server_name,
              std::vector<std::shared_ptr<const transport::CertificateEntry>>& out) const override;
  const transport::TicketKeySet& tickets() const override { return live_->tickets; }
  transport::ClientPolicyPtr client_policy(std::string_view server_name) const override;
  bool offers_http2() const override { return live_->settings.http2; }

 private:
  void refresh();
  const routing::RouteTable* table() const;
  bool add(const std::vector<std::string>& names,
           std::vector<std::shared_ptr<const transport::CertificateEntry>>& out) const;

  const exchange::LiveSnapshot& live_;
  const std::string listener_;
  const std::uint16_t port_;
  std::shared_ptr<const Served> served_;
  std::uint64_t version_ = ~std::uint64_t{0};   // of the snapshot that served_ was read from
  std::vector<std::string> last_certificates_;  // the listener's default ones, once draining
  bool draining_ = false;
};

}  // namespace weir::listener
