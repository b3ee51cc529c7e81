#include "controller/status/cluster_status.h"

#include <algorithm>

#include "common/base/log.h"
#include "controller/ingress/config.h"
#include "controller/status/patch_target.h"
#include "controller/status/report_log.h"

namespace weir::status {
namespace {

constexpr base::Duration kAgain = std::chrono::seconds(1);
constexpr base::Duration kMoreToLookAt = std::chrono::milliseconds(100);

base::Json status_json(const std::vector<store::LoadBalancerAddress>& addresses) {
  base::Json list = base::Json::array();
  for (const store::LoadBalancerAddress& address : addresses) {
    base::Json one = base::Json::object();
    if (!address.ip.empty()) one.set("ip", address.ip);
    if (!address.hostname.empty()) one.set("hostname", address.hostname);
    list.push(std::move(one));
  }
  base::Json balancer = base::Json::object();
  balancer.set("ingress", std::move(list));
  base::Json out = base::Json::object();
  out.set("loadBalancer", std::move(balancer));
  return out;
}

}  // namespace

ClusterStatus::ClusterStatus(loop::Loop& loop, kubernetes::ApiClient& client,
                             AddressSource addresses, std::unique_ptr<Authority> authority)
    : loop_(loop),
      client_(client),
      source_(std::move(addresses)),
      authority_(std::move(authority)),
      again_(loop.timers(), [this] { look(); }),
      settings_(
          loop, client,
          {.leads = [this] { return authority_->leads(); },
           .is_programmed = [this](const store::Object& object) { return is_programmed(object); },
           .refused = [this](const store::Object& object) { return refused(object); }}) {}

ClusterStatus::~ClusterStatus() = default;

void ClusterStatus::start(const publish::Pipeline& pipeline, const publish::Session& session,
                          const Replicas& replicas) {
  pipeline_ = &pipeline;
  session_ = &session;
  settings_.start(pipeline);
  replicas_ = &replicas;
  if (source_.none()) {
    base::log_warn("the status of Ingresses is not written",
                   {{"reason", "neither --publish-service nor --publish-status-address is given"}});
  }
  authority_->start([this](bool leads) {
    base::log_info(leads ? "this replica leads" : "this replica does not lead");
    if (leads) look_at_all();
  });
}

void ClusterStatus::stop(base::UniqueFunction<void()> done) { authority_->stop(std::move(done)); }

void ClusterStatus::on_changes(const translate::Engine::Changes& changes) {
  tell_reports(changes.reports_changed);
  pending_.insert(changes.owners_changed.begin(), changes.owners_changed.end());
  look();
  settings_.look();
}

void ClusterStatus::on_applied() {
  look();
  settings_.look();
}

// Whether all that serves this object is live, here and on every replica that is waited for.
bool ClusterStatus::is_programmed(const store::Object& object) const {
  const std::vector<model::ResourceKey> resources = pipeline_->engine().resources_of(object.key);
  const bool live = std::all_of(
      resources.begin(), resources.end(),
      [this](const model::ResourceKey& resource) { return session_->is_live(resource); });
  return live && replicas_->programmed(object.key, object.resource_version).state !=
                     Programmed::State::kWaiting;
}

std::string ClusterStatus::refused(const store::Object& object) const {
  for (const model::ResourceKey& resource : pipeline_->engine().resources_of(object.key)) {
    const auto found = session_->refused_reasons().find(resource);
    if (found != session_->refused_reasons().end()) return found->second.text;
  }
  return {};
}

void ClusterStatus::on_refused(const std::vector<wire::Reason>& reasons) {
  settings_.look();
  for (const wire::Reason& reason : reasons) {
    const auto found = pipeline_->engine().resources().find({reason.type, reason.name});
    if (reason.type != model::ResourceType::kRoute ||
        found == pipeline_->engine().resources().end())
      continue;
    const auto route = model::read_resource<model::Route>(*found->second);
    if (!route.ok()) continue;
    translate::Report report;
    report.object = {store::Kind::kIngress, route.value().provenance.ns,
                     route.value().provenance.name};
    report.reason = "RefusedByDataplane";
    report.field = route.value().provenance.field_path;
    report.text = reason.text;
    tell(report);
  }
}

void ClusterStatus::look_at_all() {
  for (const store::ObjectPtr& object : pipeline_->store().all(store::Kind::kIngress))
    pending_.insert(object->key);
  for (const translate::Report& report : pipeline_->reports()) {
    if (told_[report.object].insert(report).second) tell(report);
  }
  look();
  settings_.look();
}

// Looks at what is pending; what cannot be settled yet stays.
void ClusterStatus::look() {
  done_.clear();
  if (pipeline_ == nullptr || !pipeline_->synced()) return;
  std::vector<store::LoadBalancerAddress> now = addresses_now(source_, pipeline_->store());
  if (now != addresses_) {
    addresses_ = std::move(now);
    for (const store::ObjectPtr& object : pipeline_->store().all(store::Kind::kIngress))
      pending_.insert(object->key);
  }
  if (!authority_->leads() || source_.none()) return;
  look_at_some();
  // No unit reads the publish Service, so nobody says when its addresses come or change.
  const bool follow = !pending_.empty() || !source_.publish_service.empty();
  const base::Duration pause = pending_.size() > kLooksPerTurn ? kMoreToLookAt : kAgain;
  if (follow && !again_.armed()) again_.arm(loop_.now() + pause);
}

// Goes on where the last turn ended: among a hundred thousand that wait for the dataplane or for a
// free place, a look costs a bounded time.
void ClusterStatus::look_at_some() {
  std::size_t left = std::min(kLooksPerTurn, pending_.size());
  auto at = pending_.lower_bound(next_);
  while (left-- > 0 && running_.size() < kParallel) {
    if (at == pending_.end()) at = pending_.begin();
    at = look_at(*at) ? pending_.erase(at) : std::next(at);
  }
  next_ = at == pending_.end() ? store::ObjectKey{} : *at;
}

// True when there is nothing more to do for it.
bool ClusterStatus::look_at(const store::ObjectKey& key) {
  if (running_.contains(key) || running_.size() >= kParallel) return false;
  const auto object = pipeline_->store().get(key);
  if (object == nullptr || key.kind != store::Kind::kIngress) return true;
  const auto& ingress = static_cast<const store::Ingress&>(*object);
  const std::vector<model::ResourceKey> resources = pipeline_->engine().resources_of(key);
  if (resources.empty()) {
    // Not ours (any more): only what we wrote ourselves is taken away.
    if (!ingress.status.empty() && ingress.status == addresses_) patch(ingress, {});
    return true;
  }
  if (addresses_.empty() || ingress.status == addresses_) return true;
  for (const model::ResourceKey& resource : resources) {
    if (!session_->is_live(resource)) return false;
  }
  if (!replicas_serve(ingress)) return false;
  patch(ingress, addresses_);
  return true;
}

bool ClusterStatus::replicas_serve(const store::Ingress& ingress) {
  const Programmed found = replicas_->programmed(ingress.key, ingress.resource_version);
  if (found.state == Programmed::State::kOverdue) {
    authority_->emit(ingress, true, "ReplicaNotProgrammed",
                     found.missing +
                         " is ready and has not acknowledged this version in time; the addresses "
                         "are written all the same, so some requests may not be served yet");
  }
  return found.state != Programmed::State::kWaiting;
}

void ClusterStatus::patch(const store::Ingress& ingress,
                          const std::vector<store::LoadBalancerAddress>& want) {
  const store::ObjectKey key = ingress.key;
  running_[key] = client_.patch_status(
      store::row(key.kind).descriptor, patch_target(ingress), status_json(want),
      [this, key](base::Result<kubernetes::ApiResponse> answer) { on_patched(key, answer); });
}

void ClusterStatus::on_patched(const store::ObjectKey& key,
                               const base::Result<kubernetes::ApiResponse>& answer) {
  const auto running = running_.find(key);
  done_.push_back(std::move(running->second));
  running_.erase(running);
  const bool ok = answer.ok() && (answer.value().ok() || answer.value().head.status == 404);
  if (!ok) {
    base::log_warn(
        "status not written",
        {{"object", key.to_string()},
         {"reason",
          answer.ok()
              ? kubernetes::status_error(answer.value().head.status, answer.value().body).text
              : answer.error().text}});
    pending_.insert(key);  // a conflict: the watch brings the newer object, then it is tried again
  }
  if (!pending_.empty() && !again_.armed())
    again_.arm(loop_.now() + (ok ? base::Duration::zero() : kAgain));
}

void ClusterStatus::tell_reports(const std::set<store::ObjectKey>& changed) {
  for (const store::ObjectKey& key : changed) {
    const std::vector<translate::Report> now = pipeline_->reports_of(key);
    std::set<translate::Report>& told = told_[key];
    if (authority_->leads()) {
      for (const translate::Report& report : now) {
        if (!told.contains(report)) tell(report);
      }
      told = std::set<translate::Report>(now.begin(), now.end());
    }
    if (now.empty()) told_.erase(key);
  }
}

void ClusterStatus::tell(const translate::Report& report) {
  const auto object = pipeline_->store().get(report.object);
  if (object == nullptr || !authority_->leads()) return;
  authority_->emit(*object, report.severity == translate::Severity::kWarning, report.reason,
                   report_line(report));
}

}  // namespace weir::status
