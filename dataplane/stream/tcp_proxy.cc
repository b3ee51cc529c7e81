#include "dataplane/stream/tcp_proxy.h"

#include <algorithm>
#include <utility>

#include "dataplane/transport/factory.h"
#include "dataplane/transport/proxy_protocol.h"

namespace weir::stream {
namespace {

using transport::Farewell;

constexpr std::size_t kChargedBytes = 2'048;    // the object and its two transports
constexpr std::size_t kQueueHigh = 256 * 1024;  // above it a transport reports when it has drained
constexpr int kInternalError = 500;
constexpr int kBadGateway = 502;
constexpr int kUnavailable = 503;

}  // namespace

void TcpProxy::start(StreamHome& home, const model::StreamRule& rule, StreamClient client) {
  // Owns itself; finish() buries it.
  auto* proxy = new TcpProxy(home, rule, std::move(client));
  proxy->choose_backend(rule);
}

TcpProxy::TcpProxy(StreamHome& home, const model::StreamRule& rule, StreamClient client)
    : home_(home),
      worker_(home.context.worker),
      counters_(home.context.recorder.stream(client.listener)),
      listener_(client.listener),
      owner_(client.owner),
      server_name_(client.server_name),
      protocol_(client.protocol),
      destination_(client.destination),
      gate_(std::move(client.gate)),
      send_proxy_(rule.send_proxy),
      idle_timeout_(rule.idle_timeout),
      tries_left_(std::max(rule.tries, 1U)),
      timer_(worker_.loop().timers(), *this) {
  client_.transport = std::move(client.transport);
  client_.transport->set_target(client_);
  client_.transport->pause_reading();
  started_ = progress_ = worker_.loop().now();
  link();
  worker_.budget().charge(kChargedBytes);
  home_.context.recorder.connection_opened(false);
  counters_.accepted.add(1);
  counters_.active.add(1);
}

TcpProxy::~TcpProxy() { worker_.budget().release(kChargedBytes); }

void TcpProxy::link() {
  previous_ = home_.last;
  (previous_ == nullptr ? home_.first : previous_->next_) = this;
  home_.last = this;
  ++home_.count;
}

void TcpProxy::unlink() {
  (previous_ == nullptr ? home_.first : previous_->next_) = next_;
  (next_ == nullptr ? home_.last : next_->previous_) = previous_;
  --home_.count;
}

void TcpProxy::choose_backend(const model::StreamRule& rule) {
  const model::WeightedBackend* backend = home_.choice.backend(owner_, rule);
  if (backend == nullptr) return fail(kInternalError, "no backend has a weight");
  cluster_ = backend->cluster;
  if (!backend->invalid) return connect();
  fail(kInternalError, backend->reason.empty() ? "the backend is invalid" : backend->reason);
}

void TcpProxy::connect() {
  Choice::Picked picked = home_.choice.endpoint(cluster_, client_.transport->peer().ip(), avoid_);
  if (picked.endpoint == nullptr) {
    if (!avoid_.empty()) return fail(kBadGateway, std::string(error_));
    return fail(kUnavailable, picked.cluster == nullptr ? "the cluster is not there"
                                                        : "the cluster has no endpoints");
  }
  --tries_left_;
  ++attempts_;
  endpoint_ = picked.endpoint->id;
  use_ = std::move(picked.use);
  attempt_ = worker_.loop().now();
  upstream_.transport = transport::connect_tcp(worker_, picked.endpoint->address,
                                               picked.cluster->settings.connect_timeout);
  upstream_.transport->set_target(upstream_);
}

void TcpProxy::on_open(Side& side) {
  if (&side == &upstream_ && !over_) connected();
}

void TcpProxy::connected() {
  open_ = true;
  progress_ = worker_.loop().now();
  use_.connected(progress_);
  connect_time_ = progress_ - attempt_;
  error_.clear();
  if (send_proxy_ != model::ProxyHeader::kNone) {
    const auto make = send_proxy_ == model::ProxyHeader::kV1 ? &transport::proxy_header_v1
                                                             : &transport::proxy_header_v2;
    upstream_.transport->write(
        worker_.buffers().copy(make(client_.transport->peer(), destination_)));
  }
  client_.transport->resume_reading();
  watch();
}

void TcpProxy::on_bytes(Side& side, std::string_view bytes) {
  if (over_) return;
  (&side == &client_ ? counters_.received : counters_.sent).add(bytes.size());
  progress_ = worker_.loop().now();
  transport::Transport& to = *other(side).transport;
  to.write(worker::Slice::borrowed(bytes));
  if (to.queued() <= kQueueHigh) return;
  side.paused = true;
  side.transport->pause_reading();
}

void TcpProxy::on_drained(Side& side) {
  if (over_) return;
  progress_ = worker_.loop().now();
  Side& from = other(side);
  if (from.transport == nullptr || !std::exchange(from.paused, false)) return;
  from.transport->resume_reading();
}

void TcpProxy::on_read_closed(Side& side) {
  if (over_) return;
  side.ended = true;
  progress_ = worker_.loop().now();
  if (other(side).ended) return finish(Farewell::kAtOnce);
  other(side).transport->finish_writing();
}

void TcpProxy::on_closed(Side& side, const base::Error& error) {
  if (over_) return;
  error_ = error.text;
  if (&side == &upstream_ && !open_) {
    use_.connect_failed(worker_.loop().now());
    avoid_.push_back(endpoint_);
    return tries_left_ > 0 ? connect() : fail(kBadGateway, std::string(error_));
  }
  finish(Farewell::kLinger);
}

void TcpProxy::fail(int status, std::string_view why) {
  status_ = status;
  error_ = why;
  counters_.failed.add(1);
  finish(Farewell::kLinger);
}

void TcpProxy::close(std::string_view why) {
  if (over_) return;
  error_ = why;
  finish(Farewell::kLinger);
}

void TcpProxy::end_by(base::TimePoint deadline) {
  deadline_ = deadline;
  if (!over_) watch();
}

std::uint64_t TcpProxy::written() const {
  return client_.transport->bytes_written() + upstream_.transport->bytes_written();
}

// Armed lazily: bytes only note when they came.
void TcpProxy::watch() {
  const bool has_deadline = deadline_ != base::TimePoint{};
  const bool has_idle = open_ && idle_timeout_ > base::Duration::zero();
  if (!has_deadline && !has_idle) return;
  base::TimePoint at = has_idle ? progress_ + idle_timeout_ : deadline_;
  if (has_deadline) at = std::min(at, deadline_);
  timer_.cancel();
  timer_.arm(at);
}

void TcpProxy::on_timer() {
  const base::TimePoint now = worker_.loop().now();
  if (deadline_ != base::TimePoint{} && now >= deadline_) {
    return close("the listener was removed, and the drain is over");
  }
  // A slow reader makes progress without an event of its own.
  const std::uint64_t seen = open_ ? written() : 0;
  if (std::exchange(written_, seen) != seen) progress_ = now;
  if (open_ && now - progress_ >= idle_timeout_) return close("idle for too long");
  watch();
}

void TcpProxy::finish(Farewell farewell) {
  over_ = true;
  timer_.cancel();
  use_ = {};
  record();
  // What was read of one side still reaches the other.
  client_.transport->close_when_flushed(farewell);
  if (upstream_.transport != nullptr) upstream_.transport->close_when_flushed(farewell);
  counters_.active.sub(1);
  home_.context.recorder.connection_closed();
  home_.caps.leave(client_.transport->peer());
  unlink();
  worker_.bury(std::unique_ptr<worker::Buried>(this));
}

void TcpProxy::record() {
  observe::ExchangeRecord record;
  const base::TimePoint now = worker_.loop().now();
  record.started = started_;
  record.request_time = now - started_;
  record.status = status_;
  record.request_bytes = client_.transport->bytes_read();
  record.response_bytes = upstream_.transport == nullptr ? 0 : upstream_.transport->bytes_read();
  record.protocol = protocol_;
  record.listener = listener_;
  record.host = server_name_;
  const std::string client = client_.transport->peer().ip();
  record.client = client;
  record.upstream = endpoint_;
  record.cluster = cluster_;
  record.upstream_connect = connect_time_;
  record.upstream_time = open_ ? now - attempt_ : base::Duration::zero();
  record.attempts = attempts_;
  record.error = error_;
  home_.context.recorder.record_stream(record);
}

}  // namespace weir::stream
