#include "controller/admin/metrics.h"

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

class ControllerMetrics final : public base::MetricSource {
 public:
  ControllerMetrics(const publish::Pipeline& pipeline, const publish::Session& session,
                    const status::Status* status, double since_contact)
      : pipeline_(pipeline), session_(session), status_(status), since_contact_(since_contact) {}

  void collect(std::vector<Family>& out) const override {
    out.push_back(gauge("weir_controller_synced", "1 when every permitted kind has been listed.",
                        pipeline_.synced() ? 1 : 0));
    out.push_back(gauge("weir_controller_source_age_seconds",
                        "Seconds since the source of objects was last heard.", since_contact_));
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
    }
    out.push_back(objects());
    out.push_back(reports());
    out.push_back(certificates());
  }

 private:
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
    std::map<std::string, int> by_reason;
    for (const translate::Report& report : pipeline_.reports()) ++by_reason[report.reason];
    if (!session_.refused_reasons().empty())
      by_reason["RefusedByDataplane"] = static_cast<int>(session_.refused_reasons().size());
    for (const auto& [reason, count] : by_reason)
      family.samples.push_back(Sample{{{"reason", reason}}, static_cast<double>(count)});
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
      family.samples.push_back(Sample{
          {{"namespace", ns},
           {"secret_name", slash == std::string::npos ? name : name.substr(slash + 1)},
           {"host", certificate.value().names.empty() ? "" : certificate.value().names.front()},
           {"identifier", certificate.value().fingerprint.substr(0, 16)}},
          static_cast<double>(certificate.value().not_after)});
    }
    return family;
  }

  const publish::Pipeline& pipeline_;
  const publish::Session& session_;
  const status::Status* status_;
  const double since_contact_;
};

}  // namespace

std::string render_metrics(const publish::Pipeline& pipeline, const publish::Session& session,
                           const status::Status* status, double seconds_since_contact) {
  const ControllerMetrics metrics(pipeline, session, status, seconds_since_contact);
  return base::render({&metrics});
}

}  // namespace weir::admin
