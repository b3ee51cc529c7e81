#include "dataplane/upstream/health_check.h"

#include <algorithm>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "dataplane/upstream/pooled_attempt.h"

namespace weir::upstream {
namespace {

constexpr std::size_t kMostBody = 1'024;
constexpr base::Duration kMostFirstPause = std::chrono::milliseconds(500);
constexpr char kServing = 1;  // HealthCheckResponse.ServingStatus

}  // namespace

// HealthCheckRequest has one field: 1, a string.
std::string grpc_health_request(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0a';
    for (std::size_t size = service.size(); size > 0; size >>= 7) {
      message += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80U : 0U));
    }
    message += service;
  }
  std::string out(1, '\0');  // not compressed
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(message.size() >> shift);
  return out + message;
}

// HealthCheckResponse has one field: 1, an enum below 128.
bool grpc_says_serving(std::string_view body) {
  const std::string_view want("\0\0\0\0\2\x08", 6);
  return body.size() == want.size() + 1 && body.starts_with(want) && body.back() == kServing;
}

HealthCheck::HealthCheck(const Parts& parts, Pool& pool, const Cluster& cluster, const Home& home,
                         std::shared_ptr<shared::EndpointState> state)
    : parts_(parts),
      pool_(pool),
      home_(home),
      cluster_(cluster.settings.name),
      rule_(cluster.settings.health),
      connect_timeout_(cluster.settings.connect_timeout),
      state_(std::move(state)),
      timer_(parts.worker.loop().timers(), *this) {
  pool_.add_cluster();
  timer_.arm(parts.worker.loop().now() + std::min(pause() / 10, kMostFirstPause));
}

HealthCheck::~HealthCheck() {
  attempt_.reset();
  pool_.remove_cluster();
}

// Spread by up to a tenth, so that the checks of many endpoints do not march in step.
base::Duration HealthCheck::pause() const {
  const base::Duration interval = rule_.interval;
  const auto now =
      static_cast<std::uint64_t>(parts_.worker.loop().now().time_since_epoch().count());
  const std::uint64_t random =
      base::mix64(now ^ base::process_seed(), base::hash_bytes(pool_.endpoint().id)) % 1'000;
  return interval * 95 / 100 + interval * static_cast<std::int64_t>(random) / 10'000;
}

void HealthCheck::on_timer() {
  if (asking_) return finish(false);  // too late
  begin();
}

void HealthCheck::begin() {
  asking_ = true;
  well_ = false;
  body_.clear();
  timer_.arm(parts_.worker.loop().now() + rule_.timeout);
  auto attempt = std::make_unique<PooledAttempt>(pool_, static_cast<AttemptTarget&>(*this),
                                                 static_cast<codec::MessageTarget&>(*this));
  PooledAttempt& waiting = *attempt;
  attempt_ = std::move(attempt);
  Connection& connection = pool_.connect(std::min<base::Duration>(connect_timeout_, rule_.timeout));
  waiting.wait_for(connection);
  if (!connection.has_session()) finish(false);
}

void HealthCheck::finish(bool well) {
  if (!asking_) return;
  asking_ = false;
  const base::TimePoint now = parts_.worker.loop().now();
  shared::ClusterState& cluster = *home_.state;
  (well ? cluster.totals.checks_good : cluster.totals.checks_bad)
      .fetch_add(1, std::memory_order_relaxed);
  if (state_->checked(well, rule_, now)) {
    cluster.changed();
    base::log_info(well ? "endpoint is well again" : "endpoint is not well",
                   {{"cluster", cluster_}, {"endpoint", pool_.endpoint().id}});
  }
  timer_.arm(now + pause());
  attempt_.reset();  // last: it may be the one whose event we are in
}

void HealthCheck::on_attempt_ready() {
  if (rule_.kind == model::CheckKind::kTcp) return finish(true);
  send_request();
}

void HealthCheck::send_request() {
  codec::HeadPtr head = parts_.context.heads.take();
  const bool grpc = rule_.kind == model::CheckKind::kGrpc;
  head->set_method(grpc ? "POST" : "GET");
  head->set_target(grpc ? "/grpc.health.v1.Health/Check" : rule_.path);
  head->set_authority(rule_.host.empty() ? pool_.endpoint().address.to_string() : rule_.host);
  head->add("user-agent", "weir-health-check");
  codec::MessageStream& stream = attempt_->stream();
  if (!grpc) return stream.send_head(*head, codec::BodyLength::none());
  head->add("content-type", "application/grpc");
  head->add("te", "trailers");
  const std::string body = grpc_health_request(rule_.service);
  stream.send_head(*head, codec::BodyLength::known(body.size()));
  stream.send_data(parts_.context.buffers.copy(body));
  stream.send_end();
}

void HealthCheck::on_attempt_failed(const base::Error&) { finish(false); }

void HealthCheck::on_head(codec::HeadPtr head, codec::BodyLength) {
  const int status = head->status();
  if (rule_.kind == model::CheckKind::kGrpc) {
    if (status != 200) finish(false);
    return;
  }
  well_ = status >= 200 && status < 400;
  if (!well_) finish(false);
}

// A large page is no part of the answer.
void HealthCheck::on_data(worker::Slice data) {
  if (rule_.kind != model::CheckKind::kGrpc) {
    body_.resize(std::min(body_.size() + data.size(), kMostBody));
    if (body_.size() == kMostBody) finish(well_);
    return;
  }
  body_ += data.bytes();
  if (body_.size() > kMostBody) finish(false);
}

void HealthCheck::on_trailers(codec::HeadPtr trailers) {
  if (rule_.kind != model::CheckKind::kGrpc) return;
  well_ = trailers->find("grpc-status") == "0" && grpc_says_serving(body_);
}

void HealthCheck::on_end() { finish(well_); }

void HealthCheck::on_reset(const base::Error&) { finish(false); }

}  // namespace weir::upstream
