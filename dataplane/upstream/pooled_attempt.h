#pragma once

#include "dataplane/upstream/attempt.h"
#include "dataplane/upstream/pool.h"
#include "dataplane/upstream/recycled.h"

namespace weir::upstream {

// An attempt on a connection of a pool. Stands between exchange and session in both directions: it
// sees both ends of the messages go by, and that is how it knows whether its stream is over.
//
// Invariant: whatever may destroy the attempt (a call of response_ or target_) is the last thing a
// method does.
class PooledAttempt final : public Attempt,
                            public Recycled<PooledAttempt>,
                            codec::MessageTarget,
                            codec::MessageStream,
                            ConnectWaiter {
 public:
  PooledAttempt(Pool& pool, AttemptTarget& target, codec::MessageTarget& response);
  ~PooledAttempt() override;

  void use(Connection& pooled);
  void wait_for(Connection& connecting) override;
  void fail(const base::Error& error);  // stops waiting

  codec::MessageStream& stream() override { return *this; }
  const Endpoint& endpoint() const override { return pool_.endpoint(); }
  bool reused() const override { return reused_; }
  base::Duration connect_time() const override { return connect_time_; }
  bool may_be_refused() const override {
    return pool_.protocol() == model::UpstreamProtocol::kHttp2;
  }

 private:
  void on_connected() override;
  void on_connect_failed(const base::Error& error) override;
  void on_connect_refused() override;

  void on_interim(codec::HeadPtr head) override;
  void on_head(codec::HeadPtr head, codec::BodyLength length) override;
  void on_data(worker::Slice data) override;
  void on_trailers(codec::HeadPtr trailers) override;
  void on_end() override;
  void on_reset(const base::Error& error) override;
  void on_writable() override;

  void send_interim(const codec::Head& head) override;
  void send_head(const codec::Head& head, codec::BodyLength length) override;
  void send_data(worker::Slice data) override;
  void send_trailers(const codec::Head& trailers) override;
  void send_end() override;
  void reset(const base::Error& error) override;
  void pause() override;
  void resume() override;
  std::size_t queued() const override;

  Pool& pool_;
  AttemptTarget& target_;
  codec::MessageTarget& response_;
  Connection* connecting_ = nullptr;        // while waiting for it
  codec::MessageStream* stream_ = nullptr;  // null before it is open and once it is over
  base::TimePoint started_;
  base::Duration connect_time_{};
  bool reused_ = false;
  bool tunnel_ = false;
};

}  // namespace weir::upstream
