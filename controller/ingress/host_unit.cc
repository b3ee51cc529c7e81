#include <algorithm>
#include <map>
#include <optional>

#include "common/features/redirect_https.h"
#include "controller/annotations/auth_tls.h"
#include "controller/annotations/key_check.h"
#include "controller/annotations/reader.h"
#include "controller/ingress/backend.h"
#include "controller/ingress/builders.h"
#include "controller/ingress/host_passthrough.h"
#include "controller/ingress/host_tls.h"
#include "controller/ingress/ingress_class.h"

// One host: who may serve which path, with which backend, policies and certificate.
//
// 1. Of two Ingresses that claim one path of one type the older wins; the other is told.
// 2. Every host owns "/": what no path takes goes to the default backend with annotations applied,
//    so that authentication covers unmatched paths too.
// 3. A host that only tls sections name chooses a certificate and takes no request.

namespace weir::ingress {
namespace {

using annotations::FeatureInput;
using annotations::FeatureOutput;
using translate::Report;
using translate::Severity;
using translate::UnitResult;

constexpr std::string_view kAnyHost = "*";
constexpr std::uint16_t kNotFound = 404;
constexpr std::uint16_t kMisdirected = 421;

std::string full_name(const store::Ingress& ingress) {
  return ingress.key.ns + "/" + ingress.key.name;
}

bool has_rule_for(const store::Ingress& ingress, const std::string& host) {
  return std::any_of(ingress.rules.begin(), ingress.rules.end(), [&](const auto& rule) {
    return rule.host.empty() ? host == kAnyHost : rule.host == host;
  });
}

// An Ingress without rules is a catch-all by its default backend alone.
bool is_bare_default(const store::Ingress& ingress) {
  return ingress.rules.empty() && ingress.default_backend.has_value();
}

// Prefixes compare by segments, so "/a" and "/a/" are one.
model::PathMatch match_of(const store::IngressPath& path) {
  model::PathMatch match;
  match.kind =
      path.type == store::PathType::kExact ? model::PathKind::kExact : model::PathKind::kPrefix;
  match.value = path.path.empty() ? "/" : path.path;
  if (match.kind == model::PathKind::kPrefix) {
    while (match.value.size() > 1 && match.value.back() == '/') match.value.pop_back();
  }
  return match;
}

class HostBuilder {
 public:
  HostBuilder(const Config& config, const std::string& host, translate::View& view)
      : config_(config), host_(host), view_(view) {}

  UnitResult build() {
    gather();
    if (host_ != kAnyHost)
      passthrough_ = choose_passthrough(config_, host_, serving_, view_, result_);
    if (passthrough_.on()) return build_passthrough();
    if (host_ != kAnyHost) tls_ = choose_tls(config_, host_, by_claim_, view_, result_);
    choose_client_tls();
    for (const IngressPtr& ingress : serving_) add_rules(*ingress);
    if (!serving_.empty() || host_ == kAnyHost) add_catch_all();
    for (const auto& [match, claim] : claims_) tell_winner(claim, match.second);
    add_host();
    add_owners();
    return std::move(result_);
  }

 private:
  struct Claim {
    const store::Ingress* ingress;
    std::string field;
    std::vector<std::string> losers;  // others that claim the same, as their owners know them
  };

  void gather();
  UnitResult build_passthrough();
  void check_annotations(const store::Ingress& ingress);
  void refuse_catch_all(const store::Ingress& ingress);
  void choose_client_tls();
  void add_rules(const store::Ingress& ingress);
  void add_path(const store::Ingress& ingress, const store::IngressPath& path,
                const std::string& field);
  void report_conflict(const store::Ingress& loser, const std::string& path,
                       const std::string& field, Claim& winner);
  void report_default_conflicts(const store::Ingress& winner);
  void tell_winner(const Claim& claim, const std::string& value);
  static std::string who_won(const store::Ingress& winner, const store::Ingress& loser);
  const store::Ingress* default_backend_owner() const;
  void add_catch_all();
  model::Route start_route(const store::Ingress& ingress, const std::string& field) const;
  // returns: the settings of the backend's cluster.
  model::Cluster add_features(const store::Ingress& ingress, const store::IngressPath* path,
                              model::Route& route);
  void finish_route(const store::Ingress& ingress, model::Route route);
  void add_host();
  void add_owners();

  const Config& config_;
  const std::string& host_;
  translate::View& view_;
  UnitResult result_;
  std::vector<IngressPtr> serving_;   // with a rule for the host, oldest first
  std::vector<IngressPtr> by_claim_;  // serving_, then those whose tls alone names the host
  std::vector<IngressPtr> defaults_;  // only for "*": catch-alls by default backend
  HostTls tls_;
  std::optional<annotations::HostClientTls> client_tls_;
  HostPassthrough passthrough_;
  std::map<const store::Ingress*, std::string> denied_;  // by an annotation that we cannot honour
  std::map<std::pair<model::PathKind, std::string>, Claim> claims_;
  std::map<store::ObjectKey, std::vector<model::ResourceKey>> owned_;
  std::uint32_t order_ = 0;  // within one Ingress, so that others' changes do not touch its routes
};

void HostBuilder::gather() {
  std::vector<IngressPtr> only_tls;
  for (IngressPtr& ingress : our_ingresses(config_, host_, view_, result_.reports)) {
    const bool serves = has_rule_for(*ingress, host_);
    const bool catches = host_ == kAnyHost && ingress->default_backend.has_value();
    if (host_ == kAnyHost && config_.disable_catch_all) {
      if (serves || is_bare_default(*ingress)) refuse_catch_all(*ingress);
      continue;
    }
    if (serves || host_ != kAnyHost || is_bare_default(*ingress)) check_annotations(*ingress);
    if (catches) defaults_.push_back(ingress);
    if (serves) {
      serving_.push_back(std::move(ingress));
    } else if (host_ != kAnyHost) {
      only_tls.push_back(std::move(ingress));
    }
  }
  by_claim_ = serving_;
  by_claim_.insert(by_claim_.end(), only_tls.begin(), only_tls.end());
}

void HostBuilder::check_annotations(const store::Ingress& ingress) {
  FeatureOutput out;
  annotations::check_keys({config_.annotations, ingress, nullptr, host_, false, view_}, out);
  for (Report& report : out.reports) result_.reports.push_back(std::move(report));
  if (!out.deny_reason.empty()) denied_.emplace(&ingress, std::move(out.deny_reason));
}

// The oldest Ingress that says anything of client certificates decides for the host.
void HostBuilder::choose_client_tls() {
  const store::Ingress* winner = nullptr;
  for (const IngressPtr& ingress : by_claim_) {
    const FeatureInput input{config_.annotations, *ingress, nullptr, host_, tls_.redirects, view_};
    if (winner != nullptr) {
      if (auto report = annotations::client_tls_conflict(input, *winner))
        result_.reports.push_back(*std::move(report));
      continue;
    }
    client_tls_ = annotations::read_client_tls(input);
    if (client_tls_) winner = ingress.get();
  }
  if (!client_tls_) return;
  for (Report& report : client_tls_->reports) result_.reports.push_back(std::move(report));
  for (const auto& unit : client_tls_->wants) result_.wants.push_back(unit);
}

void HostBuilder::refuse_catch_all(const store::Ingress& ingress) {
  const bool bare = is_bare_default(ingress);
  result_.reports.push_back({.object = ingress.key,
                             .severity = Severity::kWarning,
                             .reason = "CatchAllDisabled",
                             .field = bare ? "spec.defaultBackend" : "spec.rules",
                             .value = "",
                             .text = "every rule must name a host here (--disable-catch-all); this "
                                     "part of the Ingress is not served"});
}

void HostBuilder::add_rules(const store::Ingress& ingress) {
  order_ = 0;
  for (std::size_t r = 0; r < ingress.rules.size(); ++r) {
    const store::IngressRule& rule = ingress.rules[r];
    if ((rule.host.empty() ? kAnyHost : std::string_view(rule.host)) != host_) continue;
    for (std::size_t p = 0; p < rule.paths.size(); ++p) {
      add_path(ingress, rule.paths[p],
               "spec.rules[" + std::to_string(r) + "].http.paths[" + std::to_string(p) + "]");
    }
  }
}

void HostBuilder::add_path(const store::Ingress& ingress, const store::IngressPath& path,
                           const std::string& field) {
  model::PathMatch match = match_of(path);
  const auto [claim, fresh] =
      claims_.try_emplace({match.kind, match.value}, Claim{&ingress, field, {}});
  if (!fresh) {
    report_conflict(ingress, path.path, field, claim->second);
    return;
  }
  model::Route route = start_route(ingress, field);
  const std::string_view kind = match.kind == model::PathKind::kExact ? "exact" : "prefix";
  route.id = full_name(ingress) + "/" + std::string(kind) + ":" + match.value;
  route.match.path = std::move(match);
  route.labels.path = path.path.empty() ? "/" : path.path;
  const model::Cluster settings = add_features(ingress, &path, route);
  BackendTarget{ingress, view_, result_, settings}.point(path.backend, field + ".backend", route);
  finish_route(ingress, std::move(route));
}

std::string HostBuilder::who_won(const store::Ingress& winner, const store::Ingress& loser) {
  const bool equal = winner.created == loser.created;
  return "Ingress " + full_name(winner) + (equal ? " (equally old, first by name)" : " (older)");
}

void HostBuilder::report_conflict(const store::Ingress& loser, const std::string& path,
                                  const std::string& field, Claim& winner) {
  const bool itself = winner.ingress == &loser;
  const std::string who =
      itself ? winner.field + " of the same Ingress" : who_won(*winner.ingress, loser);
  if (!itself) winner.losers.push_back(full_name(loser));
  result_.reports.push_back({.object = loser.key,
                             .severity = Severity::kWarning,
                             .reason = "PathConflict",
                             .field = field + ".path",
                             .value = path,
                             .text = "must not repeat a path and type of host " + host_ + "; " +
                                     who + " serves it, this one gets no traffic"});
}

// One report for each claim, however many lose it: an Event names the first of them.
void HostBuilder::tell_winner(const Claim& claim, const std::string& value) {
  constexpr std::size_t kNamed = 5;
  std::vector<std::string> losers = claim.losers;
  losers.erase(std::unique(losers.begin(), losers.end()), losers.end());
  if (losers.empty()) return;
  std::string names = losers.front();
  for (std::size_t i = 1; i < losers.size() && i < kNamed; ++i) names += ", " + losers[i];
  if (losers.size() > kNamed) names += " and " + std::to_string(losers.size() - kNamed) + " more";
  result_.reports.push_back({.object = claim.ingress->key,
                             .severity = Severity::kNote,
                             .reason = value.empty() ? "DefaultBackendContested" : "PathContested",
                             .field = claim.field,
                             .value = value,
                             .text = "is claimed on host " + host_ + " by " + names +
                                     ", too; this Ingress comes first and serves it"});
}

// Only Ingresses that would answer in its place if it were not there.
void HostBuilder::report_default_conflicts(const store::Ingress& winner) {
  Claim claim{&winner, "spec.defaultBackend", {}};
  for (const IngressPtr& one : host_ == kAnyHost ? defaults_ : serving_) {
    const bool rival = one->default_backend && (host_ != kAnyHost || is_bare_default(*one));
    if (!rival || one.get() == &winner) continue;
    claim.losers.push_back(full_name(*one));
    result_.reports.push_back({.object = one->key,
                               .severity = Severity::kWarning,
                               .reason = "DefaultBackendConflict",
                               .field = claim.field,
                               .value = "",
                               .text = "host " + host_ + " has one default backend; " +
                                       who_won(winner, *one) +
                                       " has it, this one gets no traffic there"});
  }
  tell_winner(claim, "");
}

// Who answers what no path takes. On "*": an Ingress that is nothing but a default backend, then
// one with a host-less rule. The default backend of an Ingress whose rules all have hosts serves
// unknown hosts only when nobody else would: the API allows it, but it must not take what the
// cluster's own default backend is there for.
const store::Ingress* HostBuilder::default_backend_owner() const {
  const auto first = [](const std::vector<IngressPtr>& from, auto wanted) {
    const auto found = std::find_if(from.begin(), from.end(), wanted);
    return found == from.end() ? nullptr : found->get();
  };
  const auto has_default = [](const IngressPtr& one) { return one->default_backend.has_value(); };
  if (host_ != kAnyHost) return first(serving_, has_default);
  if (const auto* bare =
          first(defaults_, [](const IngressPtr& one) { return is_bare_default(*one); }))
    return bare;
  if (const auto* hostless = first(serving_, has_default)) return hostless;
  return config_.default_backend_service.empty() ? first(defaults_, has_default) : nullptr;
}

void HostBuilder::add_catch_all() {
  if (claims_.contains({model::PathKind::kPrefix, "/"})) return;
  const store::Ingress* owner = default_backend_owner();
  const bool has_backend = owner != nullptr;
  if (owner == nullptr && !serving_.empty()) owner = serving_.front().get();
  static const store::Ingress nobody;
  if (owner == nullptr && config_.default_backend_service.empty()) return;
  const store::Ingress& ingress = owner != nullptr ? *owner : nobody;
  order_ = 0;

  model::Route route = start_route(ingress, "spec.defaultBackend");
  route.id = owner != nullptr ? full_name(ingress) + "/default" : "default";
  route.fixed_status = kNotFound;
  route.labels.path = "/";
  const model::Cluster settings = add_features(ingress, nullptr, route);
  if (has_backend) {
    report_default_conflicts(ingress);
    BackendTarget{ingress, view_, result_, settings}.point(*ingress.default_backend,
                                                           "spec.defaultBackend", route);
  } else if (point_at_default_backend(config_, settings, view_, result_, route)) {
    if (owner == nullptr) route.provenance = {"Flag", "", "--default-backend-service", ""};
  }
  finish_route(ingress, std::move(route));
}

model::Route HostBuilder::start_route(const store::Ingress& ingress,
                                      const std::string& field) const {
  model::Route route;
  route.table = kTable;
  route.host = host_;
  route.precedence.created = ingress.created;
  route.precedence.owner = ingress.key.name.empty() ? "" : full_name(ingress);
  route.precedence.order = order_;
  route.labels.ns = ingress.key.ns;
  route.labels.ingress = ingress.key.name;
  route.provenance = {"Ingress", ingress.key.ns, ingress.key.name, field};
  return route;
}

model::Cluster HostBuilder::add_features(const store::Ingress& ingress,
                                         const store::IngressPath* path, model::Route& route) {
  FeatureOutput out;
  FeatureInput input{config_.annotations, ingress, path, host_, tls_.redirects, view_};
  if (client_tls_) input.client_tls = &*client_tls_;
  for (const annotations::Feature* feature : annotations::features())
    feature->translate(input, out);
  for (model::ResourcePtr& policy : out.policies) {
    route.policies.push_back(policy->key.name);
    result_.resources.push_back(std::move(policy));
  }
  const auto denied = denied_.find(&ingress);
  route.deny_reason = denied != denied_.end() ? denied->second : out.deny_reason;
  route.timeouts = out.timeouts;
  route.retry = out.retry;
  route.hash_on = std::move(out.hash_on);
  route.cookie = std::move(out.cookie);
  for (Report& report : out.reports) result_.reports.push_back(std::move(report));
  for (translate::UnitKey& unit : out.wants) result_.wants.push_back(std::move(unit));
  return std::move(out.cluster);
}

void HostBuilder::finish_route(const store::Ingress& ingress, model::Route route) {
  ++order_;
  result_.resources.push_back(model::make_resource(route));
  if (!ingress.key.name.empty()) owned_[ingress.key].push_back(result_.resources.back()->key);
}

void HostBuilder::add_host() {
  if (owned_.empty() && tls_.certificates.empty() && result_.resources.empty()) return;
  model::Host host;
  host.table = kTable;
  host.name = host_;
  host.fall_through = serving_.empty() && host_ != kAnyHost;
  host.certificates = tls_.certificates;
  if (client_tls_ && client_tls_->rule.mode != model::ClientCertificateMode::kOff) {
    host.client_tls = client_tls_->rule;
  }
  if (!passthrough_.rule.backends.empty()) host.passthrough = passthrough_.rule;
  result_.resources.push_back(model::make_resource(host));
  const model::ResourceKey key = result_.resources.back()->key;
  for (auto& [object, keys] : owned_) keys.push_back(key);
  if (tls_.provider != nullptr) {
    auto& keys = owned_[tls_.provider->key];
    if (keys.empty()) keys.push_back(key);
  }
}

// No request of this host is served: plain HTTP is sent to HTTPS, and one that came by a handshake
// for another name must not reach a backend that means to see the client's own handshake (421, RFC
// 9110 section 15.5.20).
UnitResult HostBuilder::build_passthrough() {
  const store::Ingress& ingress = *passthrough_.owner;
  // What restricts access and is not honoured closes the host, as it closes paths.
  if (const auto denied = denied_.find(&ingress); denied != denied_.end()) {
    model::WeightedBackend& backend = passthrough_.rule.backends.front();
    backend.invalid = true;
    backend.reason = denied->second;
  }
  features::RedirectHttps redirect;
  redirect.code = config_.annotations.redirect_code;
  redirect.port = config_.annotations.https_port;
  redirect.keep_trailing_slash = true;
  model::ResourcePtr policy = annotations::make_policy_of(redirect);
  model::Route route = start_route(ingress, passthrough_.field);
  route.id = full_name(ingress) + "/passthrough";
  route.labels.path = "/";
  route.fixed_status = kMisdirected;
  route.policies.push_back(policy->key.name);
  result_.resources.push_back(std::move(policy));
  finish_route(ingress, std::move(route));
  for (const IngressPtr& one : serving_) owned_[one->key];
  add_host();
  add_owners();
  return std::move(result_);
}

void HostBuilder::add_owners() {
  for (auto& [object, keys] : owned_) result_.owners.push_back({object, std::move(keys)});
}

}  // namespace

UnitResult build_host(const Config& config, const std::string& host, translate::View& view) {
  return HostBuilder(config, host, view).build();
}

}  // namespace weir::ingress
