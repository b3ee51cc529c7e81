#include "controller/admin/metrics.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "common/base/metrics.h"

namespace weir::admin {
namespace {

using base::Family;
using base::MetricType;
using base::Sample;

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

Family gauge(std::string name, std::string help, double value) {
  return Family{std::move(name), std::move(help), MetricType::kGauge, {Sample{{}, value}}, {}};
}

Family counter(std::string name, std::string help, double value) {
  return Family{std::move(name), std::move(help), MetricType::kCounter, {Sample{{}, value}}, {}};
}

// What every series of ingress-nginx carries; the dataplane's are the same.
base::MetricLabels instance_labels() {
  const auto value = [](const char* name) {
    const char* const text = std::getenv(name);
    return std::string(text == nullptr ? "" : text);
  };
  return {{"controller_namespace", value("POD_NAMESPACE")},
          {"controller_class", "weir.ingress/controller"},
          {"controller_pod", value("POD_NAME")}};
}

class ControllerMetrics final : public base::MetricSource {
 public:
  explicit ControllerMetrics(const Measured& measured)
      : pipeline_(measured.pipeline),
        session_(measured.session),
        status_(measured.status),
        source_(measured.source),
        peers_(measured.peers) {}

  void collect(std::vector<Family>& out) const override {
    out.push_back(gauge("weir_controller_synced", "1 when every permitted kind has been listed.",
                        pipeline_.synced() ? 1 : 0));
    out.push_back(gauge("weir_controller_source_age_seconds",
                        "Seconds since the source of objects was last heard.",
                        source_.seconds_since_contact()));
    out.push_back(gauge("weir_controller_source_held_kinds",
                        "Kinds that lost all or nearly all objects at once, not believed yet.",
                        static_cast<double>(source_.held_kinds())));
    out.push_back(counter("weir_controller_events_total", "Object events taken from the source.",
                          static_cast<double>(pipeline_.events())));
    out.push_back(gauge("weir_controller_last_translation_seconds",
                        "From the first event of the last run to its changes.",
                        seconds(pipeline_.last_latency())));
    out.push_back(gauge("weir_controller_dataplane_connected",
                        "1 while a dataplane session is in step.", session_.connected() ? 1 : 0));
    out.push_back(gauge("weir_controller_dataplane_waiting_keys", "Resources that wait to be sent.",
                        static_cast<double>(session_.waiting())));
    out.push_back(gauge("weir_controller_applied_version",
                        "Version of the last acknowledged transaction.",
                        static_cast<double>(session_.applied_version())));
    if (status_ != nullptr) {
      out.push_back(gauge("nginx_ingress_controller_leader_election_status",
                          "1 when this replica writes status.", status_->is_leader() ? 1 : 0));
      out.back().samples.front().labels = instance_labels();
    }
    out.push_back(peers());
    out.push_back(gauge("weir_controller_peers_behind_seconds",
                        "Age of the oldest change that a ready replica has not acknowledged, as "
                        "the leader knows it.",
                        seconds(behind())));
    out.push_back(objects());
    out.push_back(reports());
    out.push_back(conflicts());
    out.push_back(certificates());
  }

 private:
  base::Duration behind() const {
    base::Duration most{};
    for (const peers::AckBook::PeerState& peer : peers_.states())
      most = std::max(most, peer.behind);
    return most;
  }

  Family peers() const {
    Family family{"weir_controller_peers",
                  "Other ready replicas by what their dataplanes have acknowledged, as the leader "
                  "knows it.",
                  MetricType::kGauge,
                  {},
                  {}};
    std::map<std::string, int> by_state{
        {"behind", 0}, {"in_step", 0}, {"overdue", 0}, {"silent", 0}};
    for (const peers::AckBook::PeerState& peer : peers_.states()) {
      const char* const when = peer.behind > base::Duration::zero() ? "behind" : "in_step";
      ++by_state[peer.overdue ? "overdue" : peer.silent ? "silent" : when];
    }
    for (const auto& [state, count] : by_state)
      family.samples.push_back(Sample{{{"state", state}}, static_cast<double>(count)});
    return family;
  }

  Family objects() const {
    Family family{"weir_controller_objects", "Objects in the store.", MetricType::kGauge, {}, {}};
    for (const store::KindRow& row : store::kind_rows()) {
      family.samples.push_back(Sample{{{"kind", std::string(row.descriptor.kind)}},
                                      static_cast<double>(pipeline_.store().size(row.kind))});
    }
    return family;
  }

  Family reports() const {
    Family family{
        "weir_controller_reports", "What is wrong now, by reason.", MetricType::kGauge, {}, {}};
    std::map<std::pair<std::string, std::string>, int> by_reason;
    for (const translate::Report& report : pipeline_.reports()) {
      const bool warning = report.severity == translate::Severity::kWarning;
      ++by_reason[{report.reason, warning ? "warning" : "note"}];
    }
    if (!session_.refused_reasons().empty())
      by_reason[{"RefusedByDataplane", "warning"}] =
          static_cast<int>(session_.refused_reasons().size());
    for (const auto& [key, count] : by_reason)
      family.samples.push_back(
          Sample{{{"reason", key.first}, {"severity", key.second}}, static_cast<double>(count)});
    return family;
  }

  // Always there, so that an alert or a panel has a number before the first conflict.
  Family conflicts() const {
    Family family{"weir_controller_conflicts",
                  "Claims of Ingresses that another one won, by what they claim.",
                  MetricType::kGauge,
                  {},
                  {}};
    for (const auto& [what, reason] : {std::pair("path", "PathConflict"),
                                       {"default_backend", "DefaultBackendConflict"},
                                       {"host_setting", "HostSettingConflict"}}) {
      int count = 0;
      for (const translate::Report& report : pipeline_.reports())
        count += report.reason == reason ? 1 : 0;
      family.samples.push_back(Sample{{{"what", what}}, static_cast<double>(count)});
    }
    return family;
  }

  Family certificates() const {
    Family family{"nginx_ingress_controller_ssl_expire_time_seconds",
                  "When a certificate expires, seconds since the epoch.",
                  MetricType::kGauge,
                  {},
                  {}};
    const auto& resources = pipeline_.engine().resources();
    for (auto at = resources.lower_bound({model::ResourceType::kCertificate, ""});
         at != resources.end() && at->first.type == model::ResourceType::kCertificate; ++at) {
      const auto certificate = model::read_resource<model::Certificate>(*at->second);
      if (!certificate.ok()) continue;
      const std::string& name = certificate.value().name;
      const std::size_t slash = name.find('/');
      const std::string ns = slash == std::string::npos ? "" : name.substr(0, slash);
      base::MetricLabels labels = instance_labels();
      labels.emplace_back("namespace", ns);
      labels.emplace_back("secret_name",
                          slash == std::string::npos ? name : name.substr(slash + 1));
      labels.emplace_back(
          "host", certificate.value().names.empty() ? "" : certificate.value().names.front());
      labels.emplace_back("identifier", certificate.value().fingerprint.substr(0, 16));
      family.samples.push_back(
          Sample{std::move(labels), static_cast<double>(certificate.value().not_after)});
    }
    return family;
  }

  const publish::Pipeline& pipeline_;
  const publish::Session& session_;
  const status::Status* status_;
  const kubernetes::Source& source_;
  const peers::Peers& peers_;
};

}  // namespace

std::string render_metrics(const Measured& measured) {
  const ControllerMetrics metrics(measured);
  return base::render({&metrics});
}

}  // namespace weir::admin
