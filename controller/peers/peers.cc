#include "controller/peers/peers.h"

#include <utility>

#include "common/base/log.h"
#include "controller/peers/ack_line.h"
#include "controller/peers/authority_ring.h"

namespace weir::peers {
namespace {

constexpr base::Duration kLookEvery = std::chrono::seconds(1);
// What moves often is told together: the status looks at what it waits with each time, and the
// other replicas get a line.
constexpr base::Duration kTellAfter = std::chrono::milliseconds(100);
constexpr base::Duration kSayAfter = std::chrono::milliseconds(20);

std::int64_t seconds(base::Duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

}  // namespace

Peers::Peers(loop::Loop& loop, Settings settings, Around around, base::UniqueFunction<bool()> leads,
             base::UniqueFunction<void()> on_moved)
    : loop_(loop),
      settings_(std::move(settings)),
      around_(around),
      leads_(std::move(leads)),
      on_moved_(std::move(on_moved)),
      book_(loop.clock(), settings_.patience),
      identity_(loop.clock()),
      server_(loop),
      tick_(loop.timers(), [this] { tick(); }),
      tell_(loop.timers(), [this] { on_moved_(); }),
      say_(loop.timers(), [this] { server_.set_line(to_line(book_.own())); }) {}

Peers::~Peers() = default;

base::Result<void> Peers::start() {
  tick_.arm(loop_.clock().now() + kLookEvery);
  if (!settings_.on()) return {};
  const auto address =
      base::SocketAddress::parse(settings_.place.own_address, settings_.place.port);
  if (!address.ok()) return address.error();
  around_.source.want(store::row(store::Kind::kSecret).descriptor, settings_.place.ns,
                      settings_.place.service);
  server_.set_line(to_line({}));
  return server_.listen(address.value());
}

void Peers::on_translated() {
  book_.translated(around_.session.marks(), around_.session.begun(), around_.source.positions());
  settle();
  if (!settings_.on()) return;
  take_identity();
  follow_replicas();
}

void Peers::on_applied() { settle(); }

void Peers::settle() {
  if (!book_.settle(around_.session.reached())) return;
  moved();
  if (settings_.on() && !say_.armed()) say_.arm(loop_.clock().now() + kSayAfter);
}

void Peers::moved() {
  if (!tell_.armed()) tell_.arm(loop_.clock().now() + kTellAfter);
}

// Positions also move without an object: by a bookmark, by the end of a list.
void Peers::tick() {
  tick_.arm(loop_.now() + kLookEvery);
  if (around_.pipeline.settled()) on_translated();
  settle();
  book_.tick();
  tell_overdue();
}

void Peers::take_identity() {
  const auto object = around_.pipeline.store().get(
      {store::Kind::kSecret, settings_.place.ns, settings_.place.service});
  if (object == nullptr) return;
  const auto& data = static_cast<const store::Secret&>(*object).data;
  const auto field = data.find(std::string(kAuthorityField));
  if (field != data.end() && identity_.look(field->second))
    server_.set_context(identity_.context());
}

void Peers::follow_replicas() {
  std::map<std::string, base::SocketAddress> ready;
  const bool followed = std::exchange(following_, leads_());
  if (following_) ready = ready_replicas(around_.pipeline.store(), settings_.place);
  const std::size_t before = clients_.size();
  std::erase_if(clients_, [&ready](const auto& one) { return !ready.contains(one.first); });
  bool changed = clients_.size() != before || following_ != followed;
  std::map<std::string, std::string> names;
  for (const auto& [key, address] : ready) {
    names[key] = "replica " + address.ip();
    auto& client = clients_[key];
    if (client != nullptr) continue;
    changed = true;
    client = std::make_unique<AckClient>(
        loop_, address, names[key], [this] { return identity_.context(); },
        static_cast<AckClientTarget&>(*this), settings_.client);
  }
  book_.set_peers(names);
  if (changed) moved();
}

void Peers::on_acks(const std::string& address, Acks acks) {
  if (book_.heard(address, std::move(acks))) moved();
}

status::Programmed Peers::programmed(const store::ObjectKey& object,
                                     const std::string& version) const {
  // Who has just begun to lead has not asked anybody yet.
  if (settings_.on() && !following_) return {status::Programmed::State::kWaiting, "the replicas"};
  return book_.programmed(object, version);
}

void Peers::tell_overdue() {
  std::set<std::string> overdue;
  for (const AckBook::PeerState& peer : book_.peers()) {
    const bool was_told = told_.contains(peer.name);
    if (peer.overdue) overdue.insert(peer.name);
    if (peer.overdue && !was_told) {
      base::log_warn("a ready replica has not acknowledged changes in time",
                     {{"replica", peer.name}, {"seconds", seconds(peer.behind)}});
    } else if (!peer.overdue && was_told) {
      base::log_info("a ready replica acknowledges changes again", {{"replica", peer.name}});
    }
  }
  told_ = std::move(overdue);  // who is not ready any more is forgotten
}

std::string Peers::text() const {
  std::string out;
  if (settings_.on() && identity_.context() == nullptr)
    out += "peers: Secret " + settings_.place.ns + "/" + settings_.place.service + ": " +
           identity_.problem() + "\n";
  for (const AckBook::PeerState& peer : book_.peers()) {
    if (!peer.silent && peer.behind == base::Duration::zero()) continue;
    out += "peers: " + peer.name + (peer.silent ? " does not answer" : " is behind") + ", " +
           std::to_string(seconds(peer.behind)) + " s\n";
  }
  return out;
}

}  // namespace weir::peers
