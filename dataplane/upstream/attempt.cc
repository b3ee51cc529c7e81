#include "dataplane/upstream/attempt.h"

#include <utility>

#include "dataplane/upstream/pooled_attempt.h"

namespace weir::upstream {

PooledAttempt::PooledAttempt(Pool& pool, AttemptTarget& target, codec::MessageTarget& response)
    : pool_(pool), target_(target), response_(response), started_(pool.worker().loop().now()) {
  pool_.add_attempt();
}

PooledAttempt::~PooledAttempt() {
  if (connecting_ != nullptr) connecting_->abandon(*this);
  if (stream_ != nullptr) {
    reset({base::ErrorKind::kClosed, base::Origin::kSelf, false, "request given up"});
  }
  pool_.remove_attempt();
}

void PooledAttempt::use(Connection& pooled) {
  reused_ = true;
  stream_ = &pooled.open_stream(*this);
  target_.on_attempt_ready();
}

void PooledAttempt::wait_for(Connection& connecting) {
  connecting_ = &connecting;
  connecting.add_waiter(*this);
}

void PooledAttempt::fail(const base::Error& error) {
  if (Connection* waited = std::exchange(connecting_, nullptr)) waited->abandon(*this);
  on_connect_failed(error);
}

void PooledAttempt::on_connected() {
  connect_time_ = pool_.worker().loop().now() - started_;
  stream_ = &std::exchange(connecting_, nullptr)->open_stream(*this);
  target_.on_attempt_ready();
}

void PooledAttempt::on_connect_failed(const base::Error& error) {
  connecting_ = nullptr;
  base::Error told = error;
  told.retryable = true;
  told.origin = base::Origin::kUpstream;
  target_.on_attempt_failed(std::move(told).within("connect " + pool_.endpoint().id));
}

void PooledAttempt::on_connect_refused() {
  connecting_ = nullptr;
  target_.on_attempt_failed({base::ErrorKind::kOverloaded, base::Origin::kConfig, false,
                             std::string(text_of(Refusal::kConnections))});
}

void PooledAttempt::on_interim(codec::HeadPtr head) { response_.on_interim(std::move(head)); }

void PooledAttempt::on_head(codec::HeadPtr head, codec::BodyLength length) {
  if (head->status() == 101) tunnel_ = true;  // goes on until send_end
  response_.on_head(std::move(head), length);
}

void PooledAttempt::on_data(worker::Slice data) { response_.on_data(std::move(data)); }

void PooledAttempt::on_trailers(codec::HeadPtr trailers) {
  response_.on_trailers(std::move(trailers));
}

void PooledAttempt::on_end() {
  if (!tunnel_) stream_ = nullptr;  // over, whether or not the request has ended
  response_.on_end();
}

void PooledAttempt::on_reset(const base::Error& error) {
  stream_ = nullptr;
  response_.on_reset(error);
}

void PooledAttempt::on_writable() { response_.on_writable(); }

void PooledAttempt::send_interim(const codec::Head& head) {
  if (stream_ != nullptr) stream_->send_interim(head);
}

void PooledAttempt::send_head(const codec::Head& head, codec::BodyLength length) {
  if (stream_ != nullptr) stream_->send_head(head, length);
}

void PooledAttempt::send_data(worker::Slice data) {
  if (stream_ != nullptr) stream_->send_data(std::move(data));
}

void PooledAttempt::send_trailers(const codec::Head& trailers) {
  if (stream_ != nullptr) stream_->send_trailers(trailers);
}

void PooledAttempt::send_end() {
  codec::MessageStream* stream = stream_;
  if (tunnel_) stream_ = nullptr;
  if (stream != nullptr) stream->send_end();
}

void PooledAttempt::reset(const base::Error& error) {
  if (codec::MessageStream* stream = std::exchange(stream_, nullptr)) stream->reset(error);
}

void PooledAttempt::pause() {
  if (stream_ != nullptr) stream_->pause();
}

void PooledAttempt::resume() {
  if (stream_ != nullptr) stream_->resume();
}

std::size_t PooledAttempt::queued() const { return stream_ == nullptr ? 0 : stream_->queued(); }

}  // namespace weir::upstream
