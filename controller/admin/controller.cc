#include "controller/admin/controller.h"

#include <algorithm>

#include "common/base/log.h"
#include "controller/admin/metrics.h"
#include "controller/ingress/ticket_keys.h"
#include "controller/publish/own_secrets.h"

namespace weir::admin {
namespace {

// Long before the certificate that clients get without a better match runs out.
constexpr base::Duration kRenewAfter =
    std::chrono::hours(24) * (publish::kDefaultCertificateDays / 2);

constexpr base::Duration kLookAtPeriod = std::chrono::minutes(1);

std::int64_t seconds_now(const base::Clock& clock) {
  return std::chrono::duration_cast<std::chrono::seconds>(clock.wall_now().time_since_epoch())
      .count();
}

}  // namespace

Controller::Controller(loop::Loop& loop, const Options& options,
                       std::unique_ptr<kubernetes::Source> source,
                       std::unique_ptr<ingress::IngressTranslator> translator,
                       std::unique_ptr<status::Status> status)
    : loop_(loop),
      options_(options),
      source_(std::move(source)),
      translator_(std::move(translator)),
      status_(std::move(status)),
      pipeline_(loop, *source_, {translator_.get()}, *this, {}),
      session_(loop, options.control_socket, pipeline_.engine(), *this),
      // Options that were not checked have no peers.
      peers_(
          loop,
          peers_settings(options.peers).ok() ? peers_settings(options.peers).value()
                                             : peers::Settings{},
          {*source_, pipeline_, session_},
          [this] { return status_ != nullptr && status_->is_leader(); },
          [this] {
            if (status_ != nullptr) status_->on_applied();
          }),
      admin_(loop, *this),
      renewal_(loop.timers(), [this] { renew_default_certificate(); }),
      rotation_(loop.timers(), [this] { rotate_ticket_keys(); }) {}

Controller::~Controller() = default;

base::Result<void> Controller::start() {
  if (options_.admin_port != 0) {
    if (auto started = admin_.start(options_.admin_address, options_.admin_port); !started.ok())
      return started;
  }
  if (status_ != nullptr) status_->start(pipeline_, session_, peers_);
  renewal_.arm(loop_.clock().now() + kRenewAfter);
  rotate_ticket_keys();
  pipeline_.start();
  want_published_service();
  // Every answer of the dataplane depends on them, so the first state waits for them.
  if (const auto settings = settings_apart(options_)) pipeline_.follow(*settings);
  return peers_.start();
}

// Where only some namespaces are watched, the Service whose addresses go into the status may be in
// another: it is followed alone, which a role for that one name allows.
void Controller::want_published_service() {
  const ingress::NamePair name = ingress::split_name(options_.publish_service);
  const auto& watched = options_.watch_namespaces;
  if (status_ == nullptr || name.name.empty() || watched.empty()) return;
  if (std::find(watched.begin(), watched.end(), name.ns) != watched.end()) return;
  source_->want(store::row(store::Kind::kService).descriptor, name.ns, name.name);
}

void Controller::stop() {
  if (status_ == nullptr) return;
  bool done = false;
  status_->stop([&done] { done = true; });
  // The loop goes on for two more seconds at most, so that the lease is given back.
  const base::TimePoint end = loop_.clock().now() + std::chrono::seconds(2);
  while (!done && loop_.clock().now() < end) loop_.run_once(std::chrono::milliseconds(20));
}

void Controller::on_synced() {
  base::log_info("objects are in", {{"ingresses", pipeline_.store().size(store::Kind::kIngress)},
                                    {"services", pipeline_.store().size(store::Kind::kService)},
                                    {"resources", pipeline_.engine().resources().size()}});
  session_.start();
}

void Controller::on_changes(const translate::Engine::Changes& changes) {
  changed_at_ = loop_.clock().now();
  session_.mark(changes);
  report_log_.on_changes(pipeline_, changes.reports_changed);
  if (status_ != nullptr) status_->on_changes(changes);
}

void Controller::on_translated() { peers_.on_translated(); }

void Controller::on_applied(const std::vector<model::ResourceKey>& keys) {
  ++applied_;
  peers_.on_applied();
  if (!keys.empty()) {
    const auto since =
        std::chrono::duration_cast<std::chrono::microseconds>(loop_.clock().now() - changed_at_);
    base::log_info("live", {{"resources", keys.size()},
                            {"first", keys.front().to_string()},
                            {"version", session_.applied_version()},
                            {"micros", since.count()}});
  }
  if (status_ != nullptr) status_->on_applied();
}

void Controller::on_refused(const std::vector<wire::Reason>& reasons) {
  for (const wire::Reason& reason : reasons) {
    base::log_warn("the dataplane refused a resource",
                   {{"resource", model::ResourceKey{reason.type, reason.name}.to_string()},
                    {"reason", reason.text}});
  }
  if (status_ != nullptr) status_->on_refused(reasons);
}

void Controller::renew_default_certificate() {
  auto certificate = publish::make_default_certificate(seconds_now(loop_.clock()));
  if (certificate.ok()) {
    translator_->set_default_certificate(std::move(certificate).value());
    pipeline_.rebuild(ingress::IngressTranslator::global_unit());
  } else {
    base::log_error("default certificate not renewed", {{"reason", certificate.error().text}});
  }
  renewal_.arm(loop_.clock().now() +
               (certificate.ok() ? kRenewAfter : base::Duration(std::chrono::minutes(1))));
}

// Of this process's own keys, by the wall clock, which may be set: looked at often, and without a
// change nothing is sent. Those that replicas share are another's (controller/peers).
void Controller::rotate_ticket_keys() {
  const ingress::Config& config = translator_->config();
  const std::int64_t now = seconds_now(loop_.clock());
  if (!config.own_tickets.empty() && rotation_due(config.own_tickets, now, config.ticket_period)) {
    translator_->set_own_tickets(rotated(config.own_tickets, now));
    pipeline_.rebuild(ingress::IngressTranslator::global_unit());
  }
  rotation_.arm(loop_.clock().now() +
                std::min<base::Duration>(kLookAtPeriod, config.ticket_period / 10));
}

std::string Controller::readiness() const {
  const bool ready = pipeline_.synced() && session_.connected() && session_.applied_version() > 0;
  return ready ? "ready\n" + peers_.text() : "";
}

std::string Controller::metrics() const {
  return render_metrics({pipeline_, session_, status_.get(), *source_, peers_});
}

std::string Controller::reports() const {
  base::Json out = base::Json::array();
  for (const translate::Report& report : pipeline_.reports()) {
    base::Json one = base::Json::object();
    one.set("object", report.object.to_string());
    one.set("severity", report.severity == translate::Severity::kWarning ? "warning" : "note");
    one.set("reason", report.reason);
    one.set("field", report.field);
    one.set("value", report.value);
    one.set("text", report.text);
    out.push(std::move(one));
  }
  for (const auto& [key, reason] : session_.refused_reasons()) {
    base::Json one = base::Json::object();
    one.set("object", key.to_string());
    one.set("severity", "warning");
    one.set("reason", "RefusedByDataplane");
    one.set("text", reason.text);
    out.push(std::move(one));
  }
  for (const auto& [where, text] : pipeline_.source_problems()) {
    base::Json one = base::Json::object();
    one.set("object", where);
    one.set("severity", "warning");
    one.set("reason", "SourceProblem");
    one.set("text", text);
    out.push(std::move(one));
  }
  return out.to_pretty_string() + "\n";
}

}  // namespace weir::admin
