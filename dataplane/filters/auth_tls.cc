// Lets a request in by the certificate that its client's handshake presented, and tells the backend
// about it. Field names and values are ingress-nginx's.

#include "common/features/auth_tls.h"

#include "common/base/text.h"
#include "common/routing/pattern.h"
#include "dataplane/exchange/exchange.h"
#include "dataplane/filters/kinds.h"
#include "dataplane/filters/settings_of.h"

namespace weir::filters {
namespace {

using transport::ClientCertificate;
using Mode = model::ClientCertificateMode;
using Outcome = ClientCertificate::Outcome;

constexpr std::string_view kCertificate = "ssl-client-cert";
constexpr std::string_view kVerify = "ssl-client-verify";
constexpr std::string_view kSubject = "ssl-client-subject-dn";
constexpr std::string_view kIssuer = "ssl-client-issuer-dn";

// As a URI component: everything but unreserved characters (RFC 3986 section 2.3).
std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string pem_of(std::string_view der) {
  constexpr std::size_t kLine = 64;
  const std::string text = base::base64_encode(der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < text.size(); at += kLine) {
    out += text.substr(at, kLine);
    out += '\n';
  }
  return out + "-----END CERTIFICATE-----\n";
}

class AuthTlsFilter final : public exchange::Filter {
 public:
  AuthTlsFilter(features::AuthTls settings, std::optional<routing::Pattern> subject)
      : settings_(std::move(settings)), subject_(std::move(subject)) {}
  std::string_view stem() const override { return features::AuthTls::kStem; }
  exchange::Hooks hooks() const override {
    return exchange::Hooks().with(exchange::Hook::kRequestHead);
  }

  exchange::Verdict on_request_head(exchange::Exchange& exchange) const override {
    if (!settings_.asks || exchange.client().tls == nullptr) return without_handshake(exchange);
    const transport::ClientPolicyPtr wanted = wanted_policy(exchange);
    if (wanted == nullptr || wanted->trust == nullptr) {
      return refuse(exchange, 503, "the host's authorities are not there");
    }
    // Another host's handshake, or one before the host's rule or authorities changed, proves
    // nothing here: the client is to come again on a connection of its own.
    const ClientCertificate* had = exchange.client().tls->client;
    if (!transport::is_same_policy(had == nullptr ? nullptr : had->policy.get(), wanted.get())) {
      return refuse(exchange, 421, "the handshake was for another client certificate policy");
    }
    return judge(exchange, *had);
  }

 private:
  static exchange::Verdict refuse(exchange::Exchange& exchange, int status, std::string_view why) {
    exchange.reply(status, why);
    return exchange::Verdict::kReplied;
  }

  exchange::Verdict refuse_client(exchange::Exchange& exchange, std::string_view why) const {
    if (settings_.error_page.empty()) return refuse(exchange, 400, why);
    exchange.reply(302, why);
    exchange.response().set("Location", settings_.error_page);
    return exchange::Verdict::kReplied;
  }

  // What the live snapshot asks of clients of this host: a revocation acts on the next request.
  static transport::ClientPolicyPtr wanted_policy(exchange::Exchange& exchange) {
    const exchange::Snapshot& live = *exchange.context().live;
    const model::Route& route = exchange.plan().route();
    const routing::RouteTable* table = live.tables.find(route.table);
    return exchange::client_policy_of(live, table == nullptr ? nullptr : table->host(route.host));
  }

  exchange::Verdict without_handshake(exchange::Exchange& exchange) const {
    if (settings_.asks && !settings_.allow_plain) {
      return refuse_client(exchange, "plain HTTP brings no client certificate");
    }
    tell(exchange, {});
    return exchange::Verdict::kContinue;
  }

  exchange::Verdict judge(exchange::Exchange& exchange, const ClientCertificate& had) const {
    const Mode mode = had.policy->rule.mode;
    if (had.outcome == Outcome::kNone && mode == Mode::kRequired) {
      return refuse_client(exchange, "no required client certificate was sent");
    }
    const bool unknown = had.outcome == Outcome::kUnknownAuthority;
    if (had.outcome == Outcome::kRefused || (unknown && mode != Mode::kOptionalNoCa)) {
      return refuse_client(exchange, "client certificate: " + had.reason);
    }
    if (subject_ && !subject_->takes_start_of(had.subject)) {
      return refuse(exchange, 403, "the subject of the client certificate does not match");
    }
    tell(exchange, had);
    return exchange::Verdict::kContinue;
  }

  // Replaces what a client might have written there itself.
  void tell(exchange::Exchange& exchange, const ClientCertificate& had) const {
    codec::Head& request = exchange.request();
    for (const std::string_view name : {kCertificate, kSubject, kIssuer}) request.remove(name);
    if (had.outcome == Outcome::kNone) return request.set(kVerify, "NONE");
    const bool verified = had.outcome == Outcome::kVerified;
    request.set(kVerify, verified ? "SUCCESS" : "FAILED:" + had.reason);
    request.set(kSubject, had.subject);
    request.set(kIssuer, had.issuer);
    if (settings_.pass_certificate) request.set(kCertificate, escaped(pem_of(had.der)));
  }

  const features::AuthTls settings_;
  const std::optional<routing::Pattern> subject_;  // tested from the start: begins with "any text"
};

}  // namespace

base::Result<exchange::FilterPtr> make_auth_tls(const model::Resource& policy) {
  auto settings = settings_of<features::AuthTls>(policy);
  if (!settings.ok()) return std::move(settings).error();
  std::optional<routing::Pattern> subject;
  if (const std::string& match = settings.value().match_cn; !match.empty()) {
    auto compiled = routing::Pattern::compile("(?s:.*?)(?:" + match + ")", false);
    if (!compiled.ok()) {
      return std::move(compiled).error().within(policy.key.to_string() + ": match_cn");
    }
    subject.emplace(std::move(compiled).value());
  }
  return exchange::FilterPtr(
      std::make_shared<AuthTlsFilter>(std::move(settings).value(), std::move(subject)));
}

}  // namespace weir::filters
