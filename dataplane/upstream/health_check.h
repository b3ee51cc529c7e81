#pragma once

#include <memory>

#include "common/loop/timer_wheel.h"
#include "dataplane/upstream/attempt.h"
#include "dataplane/upstream/pool.h"

namespace weir::upstream {

// The active checks of one endpoint, run by one worker for all: connects anew each time, asks, and
// tells the shared state. Connections are the pool's, so that a check goes the way of the requests
// (TLS, HTTP/2). One thread; not to be destroyed from inside its own events.
class HealthCheck final : AttemptTarget, codec::MessageTarget, loop::TimerTarget {
 public:
  // pool: of the endpoint that is asked, which may have another port than the seat's. home: of the
  // cluster. All borrowed for the object's life.
  HealthCheck(const Parts& parts, Pool& pool, const Cluster& cluster, const Home& home,
              std::shared_ptr<shared::EndpointState> state);
  ~HealthCheck() override;

  const shared::EndpointState& state() const { return *state_; }
  const model::HealthCheck& rule() const { return rule_; }
  const Pool& pool() const { return pool_; }

 private:
  void begin();
  void finish(bool well);
  void send_request();
  void on_timer() override;
  void on_attempt_ready() override;
  void on_attempt_failed(const base::Error& error) override;
  void on_interim(codec::HeadPtr) override {}
  void on_head(codec::HeadPtr head, codec::BodyLength length) override;
  void on_data(worker::Slice data) override;
  void on_trailers(codec::HeadPtr trailers) override;
  void on_end() override;
  void on_reset(const base::Error& error) override;
  void on_writable() override {}
  base::Duration pause() const;

  const Parts& parts_;
  Pool& pool_;
  const Home& home_;
  const std::string cluster_;
  const model::HealthCheck rule_;
  const base::Duration connect_timeout_;
  const std::shared_ptr<shared::EndpointState> state_;
  std::unique_ptr<Attempt> attempt_;
  loop::Timer timer_;
  bool asking_ = false;  // a check runs
  bool well_ = false;    // what its answer has said so far
  std::string body_;     // of a gRPC answer
};

// The message of grpc.health.v1.HealthCheckRequest with its gRPC prefix.
std::string grpc_health_request(std::string_view service);
// True when such an answer's body (prefix and HealthCheckResponse) says SERVING.
bool grpc_says_serving(std::string_view body);

}  // namespace weir::upstream
