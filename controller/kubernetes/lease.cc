#include "controller/kubernetes/lease.h"

#include "common/base/log.h"
#include "common/base/text.h"
#include "controller/kubernetes/manifest_objects.h"

namespace weir::kubernetes {
namespace {

using base::Json;

constexpr KindDescriptor kLeases{"Lease", "coordination.k8s.io", "v1", "leases"};

std::string micro_now(const base::Clock& clock) {
  const auto since = clock.wall_now().time_since_epoch();
  return base::format_rfc3339_micro(
      std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

}  // namespace

LeaderElection::LeaderElection(ApiClient& client, std::string ns, std::string name,
                               std::string identity, OnChange on_change, LeaseTimings timings)
    : client_(client),
      ns_(std::move(ns)),
      name_(std::move(name)),
      identity_(std::move(identity)),
      on_change_(std::move(on_change)),
      timings_(timings),
      jitter_(base::hash_bytes(identity_)),
      attempt_timer_(client.loop().timers(), [this] { attempt(); }),
      give_up_timer_(client.loop().timers(), [this] { set_leading(false); }),
      observed_at_(client.loop().now()) {}

void LeaderElection::start() { attempt(); }

void LeaderElection::arm_attempt() {
  if (ending_) return;
  attempt_timer_.arm(client_.loop().now() +
                     jitter_.between(timings_.renew, timings_.renew * 6 / 5));
}

void LeaderElection::attempt() {
  // A leader knows its lease and writes at once; everybody else looks first.
  if (leading_ && !lease_.is_null()) {
    write();
  } else {
    read();
  }
}

void LeaderElection::send(std::string method, std::string path, std::string body,
                          ApiClient::Callback callback) {
  ApiRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.body = std::move(body);
  // An answer after give_up is of no use.
  request.timeout = timings_.give_up / 2;
  sent_at_ = client_.loop().now();
  call_ = client_.call(std::move(request), std::move(callback));
}

void LeaderElection::read() {
  send("GET", api_path(kLeases, ns_, name_), "",
       [this](base::Result<ApiResponse> response) { take_read(std::move(response)); });
}

void LeaderElection::take_read(base::Result<ApiResponse> response) {
  if (!response) return arm_attempt();
  const ApiResponse& answer = response.value();
  if (answer.head.status == 401) client_.refuse_credentials();
  if (answer.head.status == 404) return create();
  if (!answer.ok()) {
    base::log_warn("the leader lease cannot be read",
                   {{"lease", ns_ + "/" + name_},
                    {"reason", status_error(answer.head.status, answer.body).text}});
    return arm_attempt();
  }
  observe(answer.body);
  if (may_take()) return write();
  set_leading(false);
  arm_attempt();
}

void LeaderElection::observe(const Json& lease) {
  lease_ = lease;
  holder_ = lease.at_path("spec", "holderIdentity").as_string();
  const std::string& version = lease.at_path("metadata", "resourceVersion").as_string();
  if (version == observed_version_) return;
  observed_version_ = version;
  observed_at_ = client_.loop().now();
}

bool LeaderElection::may_take() const {
  if (holder_.empty() || holder_ == identity_) return true;
  return client_.loop().now() - observed_at_ >= timings_.duration;
}

Json LeaderElection::make_lease() const {
  Json lease = lease_;
  if (lease.is_null()) {
    lease.set("apiVersion", Json(api_version_of(kLeases)));
    lease.set("kind", Json(kLeases.kind));
    Json metadata = Json::object();
    metadata.set("name", Json(name_));
    metadata.set("namespace", Json(ns_));
    lease.set("metadata", std::move(metadata));
  }
  Json spec = lease["spec"];
  const std::string now = micro_now(client_.loop().clock());
  if (ending_) {
    spec.set("holderIdentity", Json(""));
    spec.set("leaseDurationSeconds", Json(1));
  } else {
    if (spec["holderIdentity"].as_string() != identity_) {
      const std::int64_t before = spec["leaseTransitions"].as_int();
      spec.set("acquireTime", Json(now));
      spec.set("leaseTransitions", Json(before + (lease_.is_null() ? 0 : 1)));
    }
    spec.set("holderIdentity", Json(identity_));
    const std::int64_t seconds = std::chrono::ceil<std::chrono::seconds>(timings_.duration).count();
    spec.set("leaseDurationSeconds", Json(seconds));
  }
  spec.set("renewTime", Json(now));
  lease.set("spec", std::move(spec));
  return lease;
}

void LeaderElection::create() {
  lease_ = Json();
  send("POST", api_path(kLeases, ns_), make_lease().to_string(),
       [this](base::Result<ApiResponse> response) { take_written(std::move(response)); });
}

// The version that was read goes along: of two that write, one gets a conflict.
void LeaderElection::write() {
  send("PUT", api_path(kLeases, ns_, name_), make_lease().to_string(),
       [this](base::Result<ApiResponse> response) { take_written(std::move(response)); });
}

void LeaderElection::take_written(base::Result<ApiResponse> response) {
  arm_attempt();
  if (!response) return;
  const ApiResponse& answer = response.value();
  if (!answer.ok()) {
    lease_ = Json();  // somebody else wrote, or it is gone: read before the next write
    if (answer.head.status == 401) client_.refuse_credentials();
    if (answer.head.status == 409) return read();
    base::log_warn("the leader lease cannot be written",
                   {{"lease", ns_ + "/" + name_},
                    {"reason", status_error(answer.head.status, answer.body).text}});
    return;
  }
  observe(answer.body);
  // Counted from before the request: what the others see is never older than what we think.
  give_up_timer_.arm(sent_at_ + timings_.give_up);
  set_leading(true);
}

void LeaderElection::set_leading(bool leading) {
  if (!leading) give_up_timer_.cancel();
  if (leading_ == leading) return;
  leading_ = leading;
  base::log_info(leading ? "leading" : "not leading any more", {{"lease", ns_ + "/" + name_}});
  on_change_(leading);
}

void LeaderElection::release(base::UniqueFunction<void()> done) {
  ending_ = true;
  attempt_timer_.cancel();
  const bool had = leading_ && !lease_.is_null();
  call_.reset();
  set_leading(false);
  if (!had) return done();
  released_ = std::move(done);
  write_release(2);
}

// A renewal that was on its way may have changed the version: then read and try again.
void LeaderElection::write_release(int retries) {
  send("PUT", api_path(kLeases, ns_, name_), make_lease().to_string(),
       [this, retries](base::Result<ApiResponse> response) {
         if (!response || response.value().head.status != 409 || retries == 0) return released_();
         send("GET", api_path(kLeases, ns_, name_), "",
              [this, retries](base::Result<ApiResponse> read) {
                if (!read || !read.value().ok()) return released_();
                observe(read.value().body);
                if (holder_ != identity_) return released_();
                write_release(retries - 1);
              });
       });
}

}  // namespace weir::kubernetes
