#include "dataplane/upstream/upstreams.h"

#include "dataplane/codec/h1.h"
#include "dataplane/transport/factory.h"
#include "dataplane/upstream/pooled_attempt.h"

namespace weir::upstream {
namespace {

std::unique_ptr<codec::ClientSession> standard_session(model::UpstreamProtocol protocol,
                                                       codec::SessionContext context,
                                                       codec::ByteStream& wire,
                                                       codec::ClientTarget& target) {
  if (protocol != model::UpstreamProtocol::kHttp1) return nullptr;
  return codec::make_h1_client(context, wire, target);
}

std::unique_ptr<transport::Transport> standard_connect(const Parts& parts,
                                                       const base::SocketAddress& to,
                                                       base::Duration connect_timeout,
                                                       const transport::UpstreamPolicyPtr& tls) {
  if (tls == nullptr) return transport::connect_tcp(parts.worker, to, connect_timeout);
  return parts.tls_client->connect(to, connect_timeout, tls);
}

std::string pool_key(std::string_view id, model::UpstreamProtocol protocol,
                     const transport::UpstreamPolicyPtr& tls) {
  return std::to_string(static_cast<int>(protocol)) + " " + std::string(id) + " " +
         (tls == nullptr ? "" : tls->id);
}

}  // namespace

Parts standard_parts(worker::Worker& worker, codec::SessionContext context) {
  context.loop = &worker.loop();
  return {worker, context, &standard_connect, &standard_session,
          std::make_shared<transport::TlsClient>(worker)};
}

std::unique_ptr<Upstreams> make_upstreams(worker::Worker& worker, codec::SessionContext context) {
  return std::make_unique<UpstreamSet>(standard_parts(worker, context));
}

UpstreamSet::~UpstreamSet() {
  const base::Error why{base::ErrorKind::kClosed, base::Origin::kSelf, false, "worker ends"};
  for (auto& [key, pool] : pools_) pool->close_all(why);
}

std::unique_ptr<Attempt> UpstreamSet::start(const Cluster& cluster, const AttemptNeeds& needs,
                                            AttemptTarget& target, codec::MessageTarget& response) {
  State& state = state_of(cluster);
  const std::size_t at = state.balance.pick(needs.avoid_endpoints);
  if (at == RoundRobin::kNone) return nullptr;
  Pool& pool = *state.pools[at];
  auto attempt = std::make_unique<PooledAttempt>(pool, target, response);
  if (Connection* pooled = needs.fresh ? nullptr : pool.take(needs.idempotent)) {
    attempt->use(*pooled);
    return attempt;
  }
  Connection& connection = pool.connect(cluster.settings.connect_timeout);
  attempt->wait_for(connection);
  if (!connection.has_session()) {
    const base::Error none{base::ErrorKind::kInvalid, base::Origin::kConfig, false,
                           "this dataplane has no client codec for the cluster's protocol"};
    connection.abandon();
    attempt->fail(none);
  }
  return attempt;
}

void UpstreamSet::on_cluster_changed(const Cluster& cluster) {
  State& state = state_of(cluster);
  // The new set may lie where the old one lay: pointers alone do not tell.
  sync(state, cluster);
}

void UpstreamSet::on_cluster_removed(std::uint32_t index) {
  if (index >= clusters_.size() || clusters_[index] == nullptr) return;
  const std::unique_ptr<State> gone = std::move(clusters_[index]);
  for (Pool* pool : gone->pools) pool->remove_cluster();
}

UpstreamSet::State& UpstreamSet::state_of(const Cluster& cluster) {
  if (cluster.index >= clusters_.size()) clusters_.resize(cluster.index + 1);
  std::unique_ptr<State>& state = clusters_[cluster.index];
  if (state == nullptr) state = std::make_unique<State>(parts_.worker.index());
  if (state->synced != &cluster || state->first != cluster.endpoints.data()) sync(*state, cluster);
  return *state;
}

void UpstreamSet::sync(State& state, const Cluster& cluster) {
  std::vector<Pool*> next;
  next.reserve(cluster.endpoints.size());
  for (const Endpoint& endpoint : cluster.endpoints) {
    Pool& pool = pool_of(endpoint, cluster);
    pool.add_cluster();
    next.push_back(&pool);
  }
  // Added before the old ones are given up, so that a kept endpoint never counts as unused.
  const std::vector<Pool*> before = std::exchange(state.pools, std::move(next));
  for (Pool* pool : before) pool->remove_cluster();
  state.balance.sync(cluster.endpoints);
  state.synced = &cluster;
  state.first = cluster.endpoints.data();
}

Pool& UpstreamSet::pool_of(const Endpoint& endpoint, const Cluster& cluster) {
  const model::Cluster& settings = cluster.settings;
  std::unique_ptr<Pool>& pool = pools_[pool_key(endpoint.id, settings.protocol, cluster.tls)];
  if (pool == nullptr) {
    pool = std::make_unique<Pool>(parts_, counts_, static_cast<PoolOwner&>(*this),
                                  PoolTarget{endpoint, settings.protocol, cluster.tls});
  }
  pool->set_limits({settings.max_idle, settings.idle_timeout});
  return *pool;
}

void UpstreamSet::on_pool_unused(Pool& pool) {
  const auto at = pools_.find(pool_key(pool.endpoint().id, pool.protocol(), pool.tls()));
  if (at == pools_.end() || at->second.get() != &pool) return;  // told twice
  parts_.worker.bury(std::move(at->second));
  pools_.erase(at);
}

}  // namespace weir::upstream
