#include "dataplane/upstream/upstreams.h"

#include <algorithm>

#include "common/base/hash.h"
#include "dataplane/codec/h1.h"
#include "dataplane/codec/h2_client.h"
#include "dataplane/transport/factory.h"
#include "dataplane/upstream/pooled_attempt.h"

namespace weir::upstream {
namespace {

std::unique_ptr<codec::ClientSession> standard_session(const SessionWish& wish,
                                                       codec::SessionContext context,
                                                       codec::ByteStream& wire,
                                                       codec::ClientTarget& target) {
  if (wish.protocol == model::UpstreamProtocol::kHttp1) {
    return codec::make_h1_client(context, wire, target);
  }
  return codec::make_h2_client(context, wire, target,
                               {wish.tls, wish.max_streams, wish.first_streams});
}

std::unique_ptr<transport::Transport> standard_connect(const Parts& parts,
                                                       const base::SocketAddress& to,
                                                       base::Duration connect_timeout,
                                                       const transport::UpstreamPolicyPtr& tls) {
  if (tls == nullptr) return transport::connect_tcp(parts.worker, to, connect_timeout);
  return parts.tls_client->connect(to, connect_timeout, tls);
}

}  // namespace

Parts standard_parts(worker::Worker& worker, codec::SessionContext context) {
  context.loop = &worker.loop();
  return {worker, context, &standard_connect, &standard_session,
          std::make_shared<transport::TlsClient>(worker)};
}

std::unique_ptr<Upstreams> make_upstreams(worker::Worker& worker, codec::SessionContext context,
                                          const UpstreamsConfig& config) {
  return std::make_unique<UpstreamSet>(standard_parts(worker, context), config);
}

UpstreamSet::~UpstreamSet() {
  const base::Error why{base::ErrorKind::kClosed, base::Origin::kSelf, false, "worker ends"};
  for (auto& [key, pool] : pools_) pool->close_all(why);
}

Use UpstreamSet::pick(const Cluster& cluster, const PickNeeds& needs) {
  State& state = state_of(cluster);
  Home& home = state.home;
  const std::uint32_t most = home.limits.max_requests;
  if (most > 0 && !shared::enter(home.state->going.requests, most)) {
    home.state->totals.over_requests.fetch_add(1, std::memory_order_relaxed);
    return Use(Refusal::kRequests);
  }
  const Balancer::Pick found = state.balancer.pick(needs, parts_.worker.loop().now());
  if (found.seat != nullptr) return Use(*found.seat, parts_.worker.index(), found.exact);
  if (most > 0) shared::leave(home.state->going.requests);
  return Use(Refusal::kNoEndpoint);
}

std::unique_ptr<Attempt> UpstreamSet::start(const Cluster& cluster, Use& use,
                                            const AttemptNeeds& needs, AttemptTarget& target,
                                            codec::MessageTarget& response) {
  Pool& pool = *use.seat().pool;
  if (Connection* pooled = needs.fresh ? nullptr : pool.take(needs.idempotent)) {
    auto attempt = std::make_unique<PooledAttempt>(pool, target, response);
    attempt->use(*pooled);
    return attempt;
  }
  Connection* shared = needs.fresh ? nullptr : pool.joinable();
  if (shared == nullptr && !connections_left(state_of(cluster))) {
    use.refuse(Refusal::kConnections);
    return nullptr;
  }
  if (!use.begin_pending()) {
    use.refuse(Refusal::kPending);
    return nullptr;
  }
  auto attempt = std::make_unique<PooledAttempt>(pool, target, response);
  Connection& connection =
      shared != nullptr ? *shared : pool.connect(cluster.settings.connect_timeout);
  attempt->wait_for(connection);
  if (!connection.has_session()) {
    const base::Error none{base::ErrorKind::kInvalid, base::Origin::kConfig, false,
                           "this dataplane has no client codec for the cluster's protocol"};
    attempt->fail(none);
  }
  return attempt;
}

// Only who opens a connection adds up what is open.
bool UpstreamSet::connections_left(const State& state) const {
  const std::uint32_t most = state.home.limits.max_connections;
  if (most == 0) return true;
  std::uint64_t open = 0;
  for (const auto& seat : state.seats) open += seat->state->connections();
  return open < most;
}

bool UpstreamSet::may_connect(std::uint32_t cluster) const {
  const bool known = cluster < clusters_.size() && clusters_[cluster] != nullptr;
  return !known || connections_left(*clusters_[cluster]);
}

void UpstreamSet::on_cluster_changed(const Cluster& cluster) {
  State& state = state_of(cluster);
  // The new set may lie where the old one lay: pointers alone do not tell.
  sync(state, cluster);
  sync_checks(state, cluster);
  sweep();
}

void UpstreamSet::on_cluster_removed(std::uint32_t index) {
  if (index >= clusters_.size() || clusters_[index] == nullptr) return;
  departed_.push_back(std::move(clusters_[index]));
  departed_.back()->checks.clear();
  for (const auto& seat : departed_.back()->seats) seat->pool->remove_cluster();
  sweep();
}

UpstreamSet::State& UpstreamSet::state_of(const Cluster& cluster) {
  if (cluster.index >= clusters_.size()) clusters_.resize(cluster.index + 1);
  std::unique_ptr<State>& state = clusters_[cluster.index];
  if (state == nullptr) state = std::make_unique<State>(parts_.worker.index());
  if (state->synced != &cluster || state->first != cluster.endpoints.data()) sync(*state, cluster);
  return *state;
}

void UpstreamSet::sync_home(Home& home, const Cluster& cluster) const {
  home.state = cluster.state;
  if (home.state == nullptr) home.state = std::make_shared<shared::ClusterState>();
  home.ejection = cluster.settings.ejection;
  home.limits = cluster.settings.limits;
  home.retry_floor = (home.limits.retry_floor + config_.workers - 1) / config_.workers;
  home.observes = cluster.settings.balance.policy == model::Balance::kEwma;
}

// old: the seat that the endpoint had, or null.
std::unique_ptr<Seat> UpstreamSet::seat_of(State& state, const Endpoint& endpoint,
                                           std::unique_ptr<Seat> old) const {
  std::unique_ptr<Seat> seat = std::move(old);
  if (seat == nullptr) {
    seat = std::make_unique<Seat>();
    seat->id = endpoint.id;
    seat->state = endpoint.state;
    if (seat->state == nullptr) {
      seat->state = std::make_shared<shared::EndpointState>(config_.workers, base::TimePoint());
    }
    seat->home = &state.home;
  }
  seat->weight = endpoint.weight;
  seat->local = !config_.zone.empty() && endpoint.zone == config_.zone;
  return seat;
}

void UpstreamSet::sync(State& state, const Cluster& cluster) {
  sync_home(state.home, cluster);
  std::vector<std::unique_ptr<Seat>> before = std::exchange(state.seats, {});
  std::vector<Pool*> pools_before;
  for (const auto& seat : before) pools_before.push_back(seat->pool);
  std::vector<Seat*> seats;
  auto old = before.begin();  // both lists are sorted by id
  for (const Endpoint& endpoint : cluster.endpoints) {
    while (old != before.end() && (*old)->id < endpoint.id) ++old;
    const bool stays = old != before.end() && (*old)->id == endpoint.id &&
                       (endpoint.state == nullptr || (*old)->state == endpoint.state);
    std::unique_ptr<Seat> seat = seat_of(state, endpoint, stays ? std::move(*old++) : nullptr);
    seat->index = static_cast<std::uint32_t>(seats.size());
    seat->pool = &pool_of(endpoint, cluster, cluster.settings.protocol);
    seat->pool->add_cluster();
    if (cluster.settings.limits.max_connections > 0) {
      seat->pool->limit_by(cluster.index, seat->state);
    }
    seats.push_back(seat.get());
    state.seats.push_back(std::move(seat));
  }
  for (auto& left : before) {
    if (left != nullptr) state.leaving.push_back(std::move(left));
  }
  // Added before the old ones are given up, so that a kept endpoint never counts as unused.
  for (Pool* pool : pools_before) pool->remove_cluster();
  state.balancer.sync(cluster, std::move(seats));
  state.synced = &cluster;
  state.first = cluster.endpoints.data();
}

// Each endpoint is checked by one worker. A check whose endpoint and rule stay goes on.
void UpstreamSet::sync_checks(State& state, const Cluster& cluster) {
  std::vector<std::unique_ptr<HealthCheck>> next;
  if (cluster.settings.health.kind != model::CheckKind::kNone) {
    for (const Endpoint& endpoint : cluster.endpoints) {
      const std::uint64_t whose = base::hash_bytes(endpoint.id) + cluster.index;
      if (whose % config_.workers != parts_.worker.index()) continue;
      next.push_back(check_of(state, cluster, endpoint));
    }
  }
  state.checks = std::move(next);
}

std::unique_ptr<HealthCheck> UpstreamSet::check_of(State& state, const Cluster& cluster,
                                                   const Endpoint& endpoint) {
  const model::HealthCheck& rule = cluster.settings.health;
  const std::shared_ptr<shared::EndpointState> known =
      state.seats[static_cast<std::size_t>(&endpoint - cluster.endpoints.data())]->state;
  Endpoint asked = endpoint;
  if (rule.port != 0) {
    auto address = base::SocketAddress::parse(endpoint.address.ip(), rule.port);
    if (address.ok()) asked.address = address.value();
    asked.id = asked.address.to_string();
  }
  const bool grpc = rule.kind == model::CheckKind::kGrpc;
  Pool& pool =
      pool_of(asked, cluster, grpc ? model::UpstreamProtocol::kHttp2 : cluster.settings.protocol);
  for (auto& old : state.checks) {
    const bool stays = old != nullptr && &old->state() == known.get() && old->rule() == rule &&
                       &old->pool() == &pool;
    if (stays) return std::move(old);
  }
  return std::make_unique<HealthCheck>(parts_, pool, cluster, state.home, known);
}

void UpstreamSet::sweep() {
  for (const auto& state : clusters_) {
    if (state != nullptr && !state->leaving.empty()) {
      std::erase_if(state->leaving, [](const auto& seat) { return seat->active == 0; });
    }
  }
  std::erase_if(departed_, [](const auto& state) { return state->home.active == 0; });
}

// By protocol, endpoint and TLS policy; the connections of a cluster that limits them are its own.
std::string UpstreamSet::pool_key(std::string_view id, const Cluster& cluster,
                                  model::UpstreamProtocol protocol) {
  std::string key = std::to_string(static_cast<int>(protocol)) + " ";
  if (cluster.settings.limits.max_connections > 0) key += std::to_string(cluster.index) + " ";
  key += id;
  if (cluster.tls != nullptr) key += " " + cluster.tls->id;
  return key;
}

Pool& UpstreamSet::pool_of(const Endpoint& endpoint, const Cluster& cluster,
                           model::UpstreamProtocol protocol) {
  const std::string key = pool_key(endpoint.id, cluster, protocol);
  std::unique_ptr<Pool>& pool = pools_[key];
  if (pool == nullptr) {
    pool = std::make_unique<Pool>(parts_, counts_, static_cast<PoolOwner&>(*this),
                                  PoolTarget{endpoint, protocol, cluster.tls});
    pool->set_key(key);
  }
  pool->set_limits(
      {cluster.settings.max_idle, cluster.settings.idle_timeout, cluster.settings.max_streams});
  return *pool;
}

void UpstreamSet::on_pool_unused(Pool& pool) {
  const auto at = pools_.find(pool.key());
  if (at == pools_.end() || at->second.get() != &pool) return;  // told twice
  parts_.worker.bury(std::move(at->second));
  pools_.erase(at);
}

}  // namespace weir::upstream
