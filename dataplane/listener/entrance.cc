#include "dataplane/listener/entrance.h"

#include <utility>

#include "common/base/log.h"
#include "dataplane/shared/client_key.h"

namespace weir::listener {
namespace {

constexpr std::uint64_t kNewConnectionSalt = 0x6e65772d636f6e6eULL;  // in client_key
constexpr std::uint64_t kNewConnectionBurst = 5;                     // seconds' worth at once

}  // namespace

bool comes_too_often(exchange::ExchangeContext& context, const base::SocketAddress& peer) {
  const std::uint32_t most = context.live->settings.new_connections_per_address;
  if (most == 0 || context.limits == nullptr) return false;
  return !context.limits->rates.take(shared::client_key(peer, kNewConnectionSalt),
                                     {1'000'000 / most, kNewConnectionBurst * most - 1},
                                     context.worker.loop().now());
}

// One connection that is looked at. Owns itself until the look is over.
class Entrance::Newcomer final : public worker::Buried,
                                 public transport::SniffTarget,
                                 public Waiter {
 public:
  Newcomer(Entrance& entrance, Arrival arrival, const transport::SniffNeeds& needs)
      : entrance_(entrance),
        arrival_(std::move(arrival)),
        since_(entrance.home_.context.worker.loop().now()),
        next_(entrance.first_),
        sniffer_(entrance.home_.context.worker, std::move(arrival_.fd), arrival_.peer, needs,
                 *this) {
    if (next_ != nullptr) next_->previous_ = this;
    entrance_.first_ = this;
    ++entrance_.waiting_;
  }

  void on_sniffed(transport::Sniffed sniffed) override {
    leave();
    arrival_.fd = std::move(sniffed.fd);
    if (sniffed.is_tls) arrival_.server_name = std::move(sniffed.hello.server_name);
    if (!entrance_.take_address(arrival_, sniffed.addresses)) return;
    entrance_.enter(std::move(arrival_));
  }
  void on_sniff_failed(const base::Error& error) override {
    base::log_debug("connection refused",
                    {{"listener", arrival_.gate->listener()}, {"reason", error.text}});
    leave();
    entrance_.refuse(arrival_);
  }
  void close() {
    leave();
    entrance_.home_.caps.leave(arrival_.peer);
  }
  // What was seen stays in the socket.
  std::optional<Wait> wait() const override {
    return Wait{sniffer_.has_seen_bytes() ? Tier::kBegan : Tier::kSilent, since_, &arrival_.peer};
  }
  bool has_unread() const override { return !sniffer_.has_seen_bytes() && sniffer_.has_unread(); }
  void shed(const char*) override { close(); }
  Newcomer* next() const { return next_; }

 private:
  void leave() {
    (previous_ == nullptr ? entrance_.first_ : previous_->next_) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    --entrance_.waiting_;
    entrance_.home_.context.worker.bury(std::unique_ptr<worker::Buried>(this));
  }

  Entrance& entrance_;
  Arrival arrival_;
  const base::TimePoint since_;
  Newcomer* next_;
  Newcomer* previous_ = nullptr;
  transport::Sniffer sniffer_;
};

void Entrance::close_all() {
  while (first_ != nullptr) first_->close();
}

void Entrance::add_waiters(std::vector<Waiter*>& out) const {
  for (Newcomer* at = first_; at != nullptr; at = at->next()) out.push_back(at);
}

transport::SniffNeeds Entrance::needs_of(const Arrival& arrival) const {
  using Proxy = transport::SniffNeeds::Proxy;
  const exchange::Snapshot& live = *home_.context.live;
  transport::SniffNeeds needs;
  const Served& served = *arrival.served;
  if (served.proxy_protocol) {
    needs.proxy = live.proxy_sources.contains(arrival.peer) ? Proxy::kRequired : Proxy::kRefused;
  }
  needs.hello = served.passes_tls || (served.tls && arrival.gate->asks_for_name());
  needs.proxy_deadline = live.settings.client_address.proxy_protocol_timeout;
  needs.hello_deadline = live.settings.tls_handshake_timeout;
  return needs;
}

void Entrance::admit(Arrival arrival) {
  using Proxy = transport::SniffNeeds::Proxy;
  const transport::SniffNeeds needs = needs_of(arrival);
  // A backend that speaks first would wait for a look at the client for ever, so that a TCP
  // listener takes no stranger past its PROXY header.
  if (needs.proxy == Proxy::kRefused && arrival.served->passes_tcp) return refuse(arrival);
  if (!needs.any()) return enter(std::move(arrival));
  // Owns itself; leave() buries it.
  new Newcomer(*this, std::move(arrival), needs);
}

// The client's own address takes the place of the relay's, also in the caps.
bool Entrance::take_address(Arrival& arrival, const transport::ProxyAddresses& addresses) {
  if (!addresses.relayed) return true;
  const exchange::Snapshot& live = *home_.context.live;
  home_.caps.leave(arrival.peer);
  arrival.peer = addresses.source;
  arrival.destination = addresses.destination;
  const std::uint32_t same = live.settings.connections_per_address;
  if (!comes_too_often(home_.context, arrival.peer) &&
      home_.caps.enter(arrival.peer, 0, same) == shared::ConnectionCaps::Entry::kCounted) {
    return true;
  }
  ++refused_;
  return false;
}

void Entrance::refuse(const Arrival& arrival) {
  ++refused_;
  home_.caps.leave(arrival.peer);
}

void Entrance::enter(Arrival arrival) {
  const Served& served = *arrival.served;
  if (served.passes_tcp) return pass_on(std::move(arrival), served.stream);
  if (served.passes_tls || !arrival.server_name.empty()) {
    const model::StreamRule* rule = arrival.gate->passthrough(arrival.server_name);
    if (rule != nullptr) return pass_on(std::move(arrival), *rule);
    if (served.passes_tls) return refuse(arrival);
  }
  worker::Worker& worker = home_.context.worker;
  auto transport = served.tls ? tls_.accept(std::move(arrival.fd), arrival.peer, *arrival.gate,
                                            home_.context.live->settings.tls_handshake_timeout)
                              : transport::accept_tcp(worker, std::move(arrival.fd), arrival.peer);
  Connection::start(home_, std::move(arrival.gate), std::move(arrival.served),
                    std::move(transport));
}

void Entrance::pass_on(Arrival arrival, const model::StreamRule& rule) {
  worker::Worker& worker = home_.context.worker;
  const std::shared_ptr<const Served> served = arrival.served;
  stream::StreamClient client;
  client.transport = transport::accept_tcp(worker, std::move(arrival.fd), arrival.peer);
  client.listener = served->facts.name;
  client.owner = served->passes_tcp ? std::string_view(served->facts.name)
                                    : std::string_view(arrival.server_name);
  client.server_name = arrival.server_name;
  client.protocol = served->passes_tcp ? "TCP" : "TLS";
  client.destination =
      arrival.destination.ip_bytes().empty() ? client.transport->local() : arrival.destination;
  client.gate = arrival.gate;
  stream::TcpProxy::start(streams_, rule, std::move(client));
}

}  // namespace weir::listener
