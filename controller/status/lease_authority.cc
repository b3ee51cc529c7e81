#include "controller/status/lease_authority.h"

#include "controller/kubernetes/events.h"
#include "controller/store/store.h"

namespace weir::status {
namespace {

constexpr const char* kController = "weir.ingress/controller";

kubernetes::EventObject about(const store::Object& object) {
  const kubernetes::KindDescriptor& kind = store::row(object.key.kind).descriptor;
  kubernetes::EventObject out;
  out.api_version = kind.group.empty() ? std::string(kind.version)
                                       : std::string(kind.group) + "/" + std::string(kind.version);
  out.kind = kind.kind;
  out.ns = object.key.ns;
  out.name = object.key.name;
  out.uid = object.uid;
  out.version = object.resource_version;
  return out;
}

class LeaseAuthority final : public Authority {
 public:
  LeaseAuthority(kubernetes::ApiClient& client, const LeaseName& lease,
                 kubernetes::LeaseTimings timings)
      : events_(client, kController, lease.identity),
        election_(
            client, lease.ns, lease.name, lease.identity,
            [this](bool leading) {
              if (on_change_) on_change_(leading);
            },
            timings) {}

  void start(base::UniqueFunction<void(bool leads)> on_change) override {
    on_change_ = std::move(on_change);
    election_.start();
  }
  bool leads() const override { return election_.leading(); }
  void stop(base::UniqueFunction<void()> done) override { election_.release(std::move(done)); }
  void emit(const store::Object& object, bool warning, const std::string& reason,
            const std::string& note) override {
    events_.record(about(object), {warning, reason, "Translate", note});
  }

 private:
  kubernetes::EventRecorder events_;
  base::UniqueFunction<void(bool)> on_change_;
  kubernetes::LeaderElection election_;
};

}  // namespace

std::unique_ptr<Authority> make_lease_authority(kubernetes::ApiClient& client, LeaseName lease,
                                                kubernetes::LeaseTimings timings) {
  return std::make_unique<LeaseAuthority>(client, lease, timings);
}

}  // namespace weir::status
