#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/listener/connection.h"
#include "dataplane/listener/shed.h"
#include "dataplane/stream/tcp_proxy.h"
#include "dataplane/transport/factory.h"
#include "dataplane/transport/sniff.h"

namespace weir::listener {

// A connection on its way from accept to what serves it.
struct Arrival {
  std::shared_ptr<Gate> gate;
  std::shared_ptr<const Served> served;
  base::UniqueFd fd;
  base::SocketAddress peer;         // who the client is: of a PROXY header where there is one
  base::SocketAddress destination;  // what the client connected to; empty: ask the socket
  std::string server_name;          // of the ClientHello, where it was looked at
};

// More new connections of one client than the settings allow. Counts this one.
bool comes_too_often(exchange::ExchangeContext& context, const base::SocketAddress& peer);

// What stands between accept and the first byte of a protocol: a look at PROXY header and
// ClientHello where the listener needs one, then the choice between HTTP, TLS and passing on. A
// connection of a listener without such needs goes straight through. One thread.
class Entrance {
 public:
  // All borrowed.
  Entrance(ConnectionHome& home, transport::TlsServer& tls, stream::StreamHome& streams)
      : home_(home), tls_(tls), streams_(streams) {}
  ~Entrance() { close_all(); }
  Entrance(const Entrance&) = delete;
  Entrance& operator=(const Entrance&) = delete;

  // Counted in caps by the caller, under arrival.peer.
  void admit(Arrival arrival);
  std::size_t waiting() const { return waiting_; }
  std::uint64_t refused() const { return refused_; }
  void close_all();  // those that are looked at
  void add_waiters(std::vector<Waiter*>& out) const;

 private:
  class Newcomer;
  transport::SniffNeeds needs_of(const Arrival& arrival) const;
  bool take_address(Arrival& arrival, const transport::ProxyAddresses& addresses);
  void enter(Arrival arrival);
  void pass_on(Arrival arrival, const model::StreamRule& rule);
  void refuse(const Arrival& arrival);

  ConnectionHome& home_;
  transport::TlsServer& tls_;
  stream::StreamHome& streams_;
  Newcomer* first_ = nullptr;  // all that are looked at
  std::size_t waiting_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace weir::listener
