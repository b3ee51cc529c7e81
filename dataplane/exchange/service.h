#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/ip.h"
#include "dataplane/codec/codec.h"
#include "dataplane/exchange/local.h"
#include "dataplane/exchange/snapshot.h"
#include "dataplane/observe/exporter.h"
#include "dataplane/observe/record.h"
#include "dataplane/shared/client_limits.h"
#include "dataplane/transport/transport.h"
#include "dataplane/upstream/attempt.h"
#include "dataplane/worker/worker.h"

namespace weir::exchange {

// What all connections of a listener share.
struct ListenerFacts {
  std::string name;
  std::string route_table;
  std::string hostname;  // only this host is served; empty: all
  std::uint16_t public_port = 0;
  bool operator==(const ListenerFacts&) const = default;
};

// What an exchange knows of its client's connection. Owned by the connection; outlives its
// exchanges. An idle connection is to stay small: what connections share is referred to.
struct ClientFacts {
  base::SocketAddress peer;
  std::string address;                         // peer's IP as text
  const ListenerFacts* listener = nullptr;     // never null in an exchange
  const transport::TlsFacts* tls = nullptr;    // null: plain
  const transport::Transport* wire = nullptr;  // null in tests
  std::string_view protocol = "HTTP/1.1";
};

// What every exchange of a worker uses; wired in main, borrowed by all.
struct ExchangeContext {
  worker::Worker& worker;
  codec::HeadPool& heads;
  LiveSnapshot& live;
  upstream::Upstreams& upstreams;
  observe::Recorder& recorder;
  ExchangeLocal local{};
  shared::ClientLimits* limits = nullptr;        // null: clients are not limited (tests)
  observe::SpanExporter::Lane* spans = nullptr;  // null: spans go nowhere (tests)
};

// Told when an exchange is over, so that the connection can arm its idle timeout.
class ExchangeOwner {
 public:
  virtual ~ExchangeOwner() = default;
  virtual void on_exchange_done() = 0;
};

// Starts an exchange for a request that begins on this stream. The exchange owns itself: it ends
// when its stream is over, buries itself and tells the owner. client, owner: borrowed until then.
// Exchanges are reused: steady traffic allocates none.
codec::MessageTarget& start_exchange(ExchangeContext& context, const ClientFacts& client,
                                     codec::MessageStream& stream, ExchangeOwner& owner);

// Answers a malformed request with Weir's own page and logs it; head may be null.
void refuse_request(ExchangeContext& context, const ClientFacts& client,
                    codec::MessageStream& stream, int status, const base::Error& error,
                    const codec::Head* head);

}  // namespace weir::exchange
