#include "dataplane/snapshot/configuration.h"

#include <malloc.h>

#include <utility>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/certificate.h"
#include "common/crypto/digest.h"

namespace weir::snapshot {
namespace {

constexpr std::chrono::seconds kRetryBinds{1};
constexpr std::size_t kInstanceBytes = 16;
constexpr std::size_t kLoggedReasons = 20;  // of one answer
// A transaction of this many changes leaves much freed memory behind.
constexpr std::size_t kManyChanges = 1'000;

void log_reasons(const char* message, std::uint64_t version,
                 const std::vector<wire::Reason>& reasons) {
  for (std::size_t i = 0; i < reasons.size() && i < kLoggedReasons; ++i) {
    const model::ResourceKey key{reasons[i].type, reasons[i].name};
    base::log_warn(message, {{"version", version},
                             {"resource", key.to_string()},
                             {"reason", reasons[i].text},
                             {"of", reasons.size()}});
  }
}

// A number that fits a double exactly, as ingress-nginx's config_hash.
std::uint64_t hash_number(const State& state) {
  std::string all;
  for (const wire::TypeDigest& one : state.digests()) all += one.digest;
  std::uint64_t out = 0;
  for (const char c : crypto::sha256(all).substr(0, 6)) {
    out = out << 8 | static_cast<unsigned char>(c);
  }
  return out;
}

}  // namespace

Configuration::Configuration(Parts parts)
    : loop_(parts.loop),
      kinds_(parts.kinds),
      instance_(std::move(parts.instance)),
      id_(base::hex(crypto::random_bytes(kInstanceBytes))),
      builder_(parts.kinds, parts.labels, generations_,
               static_cast<unsigned>(parts.workers.size())),
      publisher_(parts.loop, parts.workers),
      binds_(parts.sockets, static_cast<std::uint32_t>(parts.workers.size())),
      retry_(parts.loop.timers(), [this] { on_retry(); }) {
  builder_.on_progress(std::move(parts.progress));
}

Configuration::~Configuration() = default;

wire::Hello Configuration::hello() const {
  wire::Hello hello;
  hello.instance = id_;
  hello.applied = applied_.load(std::memory_order_relaxed);
  for (const exchange::FilterKind& kind : kinds_) {
    hello.features.push_back({std::string(kind.stem), kind.revision});
  }
  hello.digests = builder_.state().digests();
  return hello;
}

std::vector<wire::KeyHash> Configuration::keys(model::ResourceType type) const {
  return builder_.state().keys(type);
}

void Configuration::apply(Transaction transaction, base::UniqueFunction<void(Answer)> answer) {
  const std::uint64_t version = transaction.version;
  is_large_ = transaction.upserts.size() + transaction.removals.size() >= kManyChanges;
  Builder::Outcome outcome = builder_.apply(transaction);
  if (outcome.swap.snapshot == nullptr) {
    return refuse(version, std::move(outcome.reasons), answer);
  }
  std::vector<SocketChange> sockets = binds_.follow(*outcome.swap.snapshot, outcome.degraded);
  failing_binds_ = binds_.failing();
  if (binds_.failing() > 0) retry_.arm(loop_.now() + kRetryBinds);
  log_reasons("configuration applied with a degraded resource", version, outcome.degraded);
  Answer good;
  good.applied = true;
  good.ack = {version, std::move(outcome.degraded)};
  publisher_.publish(std::move(outcome.swap), std::move(sockets),
                     [this, good = std::move(good), answer = std::move(answer)]() mutable {
                       on_applied(good.ack.version);
                       for (const SocketChange& opened : on_retry()) forget(opened, good.ack);
                       answer(std::move(good));
                     });
}

void Configuration::forget(const SocketChange& opened, wire::Ack& ack) {
  std::erase_if(ack.degraded, [&opened](const wire::Reason& reason) {
    return reason.type == model::ResourceType::kListener && reason.name == opened.listener &&
           reason.text.find(opened.bind) != std::string::npos;
  });
}

void Configuration::refuse(std::uint64_t version, std::vector<wire::Reason> reasons,
                           base::UniqueFunction<void(Answer)>& answer) {
  log_reasons("configuration refused", version, reasons);
  failures_.fetch_add(1, std::memory_order_relaxed);
  last_good_ = false;
  Answer bad;
  bad.nack = {version, std::move(reasons)};
  answer(std::move(bad));
}

void Configuration::on_applied(std::uint64_t version) {
  if (!ready()) base::log_info("first configuration applied", {{"version", version}});
  applied_.store(version, std::memory_order_release);
  if (std::exchange(is_large_, false)) malloc_trim(0);
  successes_.fetch_add(1, std::memory_order_relaxed);
  hash_ = hash_number(builder_.state());
  last_good_ = true;
  const auto now = loop_.clock().wall_now().time_since_epoch();
  last_good_at_ = std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

std::vector<SocketChange> Configuration::on_retry() {
  std::vector<SocketChange> opened;
  for (SocketChange& change : binds_.retry()) {
    base::log_info("bind opened at last", {{"listener", change.listener}, {"bind", change.bind}});
    opened.push_back({change.listener, change.bind, {}});
    publisher_.add_sockets(std::move(change));
  }
  failing_binds_ = binds_.failing();
  if (binds_.failing() > 0) retry_.arm(loop_.now() + kRetryBinds);
  return opened;
}

void Configuration::collect(std::vector<base::Family>& out) const {
  using base::MetricType;
  const auto add = [&out](const char* name, const char* help, MetricType type, double value,
                          const base::MetricLabels& labels) {
    out.push_back({name, help, type, {{labels, value}}, {}});
  };
  const auto number = [](auto value) { return static_cast<double>(value); };
  add("nginx_ingress_controller_config_hash", "Running configuration hash actually running",
      MetricType::kGauge, number(hash_.load()), instance_);
  add("nginx_ingress_controller_config_last_reload_successful",
      "Whether the last configuration reload attempt was successful", MetricType::kGauge,
      last_good_ ? 1 : 0, instance_);
  add("nginx_ingress_controller_config_last_reload_successful_timestamp_seconds",
      "Timestamp of the last successful configuration reload.", MetricType::kGauge,
      number(last_good_at_.load()), instance_);
  add("nginx_ingress_controller_success",
      "Cumulative number of Ingress controller reload operations", MetricType::kCounter,
      number(successes_.load()), instance_);
  add("nginx_ingress_controller_errors",
      "Cumulative number of Ingress controller errors during reload operations",
      MetricType::kCounter, number(failures_.load()), instance_);
  add("weir_config_applied_version", "Version of the configuration that every worker serves.",
      MetricType::kGauge, number(applied_.load()), {});
  add("weir_live_snapshots", "Generations of configuration that are still in memory.",
      MetricType::kGauge, number(generations_.live()), {});
  add("weir_failing_binds", "Addresses that a listener wants and that could not be opened.",
      MetricType::kGauge, number(failing_binds_.load()), {});
}

}  // namespace weir::snapshot
