#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "controller/kubernetes/api_client.h"
#include "controller/kubernetes/backoff.h"

namespace weir::kubernetes {

struct LeaseTimings {
  std::chrono::milliseconds duration{15'000};  // others take over after this without a change
  std::chrono::milliseconds renew{2'000};      // between attempts, up to a fifth more by jitter
  std::chrono::milliseconds give_up{10'000};   // we stop leading after this without a success
};

// Leader election on a coordination.k8s.io/v1 Lease: exactly one of many replicas leads; that
// give_up is shorter than duration keeps two from leading at once. Clocks of other machines are
// never compared: another holder counts as dead when its lease has not changed for `duration` as
// seen from here. One loop thread.
class LeaderElection {
 public:
  using OnChange = base::UniqueFunction<void(bool leading)>;

  // client is borrowed. identity: unique per replica and run, for example pod name and uid.
  LeaderElection(ApiClient& client, std::string ns, std::string name, std::string identity,
                 OnChange on_change, LeaseTimings timings = {});

  void start();
  bool leading() const { return leading_; }
  // Gives the lease back, so that another replica need not wait. Ends the election; done is called
  // when the API server has answered, or could not, and at once when we do not lead.
  void release(base::UniqueFunction<void()> done);
  const std::string& holder() const { return holder_; }  // as last seen

 private:
  void attempt();
  void read();
  void create();
  void write();
  void take_read(base::Result<ApiResponse> response);
  void take_written(base::Result<ApiResponse> response);
  void observe(const base::Json& lease);
  bool may_take() const;
  base::Json make_lease() const;
  void write_release(int retries);
  void set_leading(bool leading);
  void arm_attempt();
  void send(std::string method, std::string path, std::string body, ApiClient::Callback callback);

  ApiClient& client_;
  std::string ns_;
  std::string name_;
  std::string identity_;
  OnChange on_change_;
  LeaseTimings timings_;
  Jitter jitter_;
  loop::Timer attempt_timer_;
  loop::Timer give_up_timer_;
  std::unique_ptr<ApiCall> call_;
  base::UniqueFunction<void()> released_;
  base::Json lease_;  // as last read or written; null: read first
  std::string holder_;
  std::string observed_version_;
  base::TimePoint observed_at_;
  base::TimePoint sent_at_;
  bool leading_ = false;
  bool ending_ = false;
};

}  // namespace weir::kubernetes
