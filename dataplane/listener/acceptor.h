#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/fd.h"
#include "dataplane/exchange/service.h"
#include "dataplane/shared/connection_caps.h"
#include "dataplane/transport/factory.h"

namespace weir::listener {

// The client side of one worker: accepts on its own SO_REUSEPORT sockets and runs each connection
// from first byte to last: TLS when the listener says so, ALPN, a codec, and its exchanges. One
// thread.
class Acceptors {
 public:
  virtual ~Acceptors() = default;
  // Starts accepting on a listening socket for the listener with this name (looked up in the live
  // snapshot at each accept, so a changed listener needs no new socket).
  virtual void add(const std::string& listener, const std::string& bind, base::UniqueFd socket) = 0;
  // Takes what the backlog still holds, then closes the socket. Open connections go on and close
  // after their next answer, byte streams at the latest after the drain's bound; flows of UDP end.
  virtual void remove(const std::string& listener, const std::string& bind) = 0;
  // Graceful end: every connection gets "Connection: close" on its next answer, idle ones close
  // after it; accepting goes on until stop_accepting.
  virtual void start_drain() = 0;
  virtual void stop_accepting() = 0;
  virtual std::size_t connections() const = 0;
  // Connections closed at accept: over a cap, without a listener in the snapshot, or out of
  // descriptors.
  virtual std::uint64_t refused() const = 0;
  // Memory is short: closes some of those that have waited longest for a request.
  virtual void shed() = 0;
  virtual void trim() = 0;       // frees what is kept for handshakes to come
  virtual void close_all() = 0;  // the end of the drain bound
};

// drain_bound: how long a byte stream may outlive its removed listener.
std::unique_ptr<Acceptors> make_acceptors(exchange::ExchangeContext& context,
                                          shared::ConnectionCaps& caps,
                                          base::Duration drain_bound = std::chrono::minutes(4));

}  // namespace weir::listener
