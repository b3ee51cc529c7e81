#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "controller/kubernetes/api_client.h"
#include "controller/status/address.h"
#include "controller/status/settings_status.h"
#include "controller/status/status.h"

namespace weir::status {

// Who may write, and where Events go; implemented over the Lease and the Events of
// controller/kubernetes.
class Authority {
 public:
  virtual ~Authority() = default;
  virtual void start(base::UniqueFunction<void(bool leads)> on_change) = 0;
  virtual bool leads() const = 0;
  // Gives the authority back; done is called once that is known, or at once when there is none.
  virtual void stop(base::UniqueFunction<void()> done) = 0;
  virtual void emit(const store::Object& object, bool warning, const std::string& reason,
                    const std::string& note) = 0;
};

// Writes to a real cluster. Level-triggered: an Ingress is looked at again when its resources, its
// reports, the session's live state, the publish Service or the leadership changed; a write happens
// only when what stands there differs, and never before the dataplane has acknowledged every
// resource of the Ingress, and those of all ready replicas have, too. A replica that takes too long
// delays an address and is named in an Event then; it never prevents one.
//
// One loop thread. Invariant: an object is in pending_ exactly when it must be looked at; at most
// kParallel patches run.
class ClusterStatus final : public Status {
 public:
  // loop, client: borrowed for the object's life.
  ClusterStatus(loop::Loop& loop, kubernetes::ApiClient& client, AddressSource addresses,
                std::unique_ptr<Authority> authority);
  ~ClusterStatus() override;

  void start(const publish::Pipeline& pipeline, const publish::Session& session,
             const Replicas& replicas) override;
  void on_changes(const translate::Engine::Changes& changes) override;
  void on_applied() override;
  void on_refused(const std::vector<wire::Reason>& reasons) override;
  void stop(base::UniqueFunction<void()> done) override;
  bool is_leader() const override { return authority_->leads(); }

 private:
  static constexpr std::size_t kParallel = 8;
  static constexpr std::size_t kLooksPerTurn = 2'000;

  void look_at_all();
  void look();
  void look_at_some();
  bool look_at(const store::ObjectKey& key);
  bool is_programmed(const store::Object& object) const;
  std::string refused(
      const store::Object& object) const;  // by the dataplane, why; empty: it is not
  bool replicas_serve(const store::Ingress& ingress);
  void patch(const store::Ingress& ingress, const std::vector<store::LoadBalancerAddress>& want);
  void on_patched(const store::ObjectKey& key, const base::Result<kubernetes::ApiResponse>& answer);
  void tell_reports(const std::set<store::ObjectKey>& changed);
  void tell(const translate::Report& report);

  loop::Loop& loop_;
  kubernetes::ApiClient& client_;
  const AddressSource source_;
  std::unique_ptr<Authority> authority_;
  const publish::Pipeline* pipeline_ = nullptr;
  const publish::Session* session_ = nullptr;
  const Replicas* replicas_ = nullptr;
  std::vector<store::LoadBalancerAddress> addresses_;
  std::set<store::ObjectKey> pending_;
  store::ObjectKey next_;  // of pending_, the first that the next turn looks at
  std::map<store::ObjectKey, std::unique_ptr<kubernetes::ApiCall>> running_;
  std::vector<std::unique_ptr<kubernetes::ApiCall>>
      done_;  // handles whose callback is on the stack
  std::map<store::ObjectKey, std::set<translate::Report>> told_;
  loop::Timer again_;
  SettingsStatus settings_;
};

}  // namespace weir::status
