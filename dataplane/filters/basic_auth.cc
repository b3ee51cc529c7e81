// Asks for a user and a password (RFC 7617).

#include "common/features/basic_auth.h"

#include <utility>

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "dataplane/exchange/exchange.h"
#include "dataplane/filters/htpasswd.h"
#include "dataplane/filters/kinds.h"
#include "dataplane/filters/settings_of.h"
#include "dataplane/filters/verdict_cache.h"

namespace weir::filters {
namespace {

using exchange::Exchange;
using exchange::Verdict;

// Longer than any sane hash takes; a job that waited longer is not worth its answer.
constexpr std::chrono::seconds kPatience{5};

// One per worker: an exchange and its answer stay on one thread.
thread_local VerdictCache verdicts;

struct Credentials {
  std::string user;
  std::string password;
};

std::optional<Credentials> read_credentials(const codec::Head& request) {
  constexpr std::string_view kScheme = "basic ";
  const auto field = request.find(codec::FieldId::kAuthorization);
  if (!field || request.count(codec::FieldId::kAuthorization) != 1) return std::nullopt;
  if (!base::starts_with_ignore_case(*field, kScheme)) return std::nullopt;
  const auto text = base::base64_decode(base::trim(field->substr(kScheme.size())));
  const std::size_t colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

std::string in_quotes(std::string_view realm) {
  std::string out = "Basic realm=\"";
  for (const char c : realm) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) continue;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// A verification on the offload pool. The job outlives the exchange if need be; the handle does
// not.
struct Job {
  Credentials credentials;
  std::string hash;
  std::string cache_key;
  bool known_user = false;
  bool right = false;
};
class JobWait final : public exchange::Wait {
 public:
  explicit JobWait(worker::OffloadHandle handle) : handle_(std::move(handle)) {}

 private:
  worker::OffloadHandle handle_;
};

class BasicAuthFilter final : public exchange::Filter {
 public:
  BasicAuthFilter(const features::BasicAuth& settings, Htpasswd users, std::string policy_hash)
      : challenge_(in_quotes(settings.realm)),
        users_(std::move(users)),
        policy_hash_(std::move(policy_hash)) {}

  std::string_view stem() const override { return features::BasicAuth::kStem; }
  exchange::Hooks hooks() const override {
    return exchange::Hooks().with(exchange::Hook::kRequestHead);
  }

  Verdict on_request_head(Exchange& exchange) const override {
    std::optional<Credentials> credentials = read_credentials(exchange.request());
    // The password is for us, not for the upstream.
    exchange.request().remove(codec::FieldId::kAuthorization);
    if (!credentials) return challenge(exchange, {});
    std::string key =
        crypto::sha256(policy_hash_ + '\n' + credentials->user + ':' + credentials->password);
    const base::TimePoint now = exchange.context().worker.loop().now();
    if (const auto verdict = verdicts.find(key, now)) {
      return conclude(exchange, *verdict, credentials->user);
    }
    return verify(exchange, std::move(*credentials), std::move(key));
  }

 private:
  Verdict verify(Exchange& exchange, Credentials credentials, std::string key) const {
    // An unknown user costs what a known one does: time must not tell which names exist.
    const Htpasswd::Entry* entry = users_.find(credentials.user);
    const std::string& hash = (entry == nullptr ? users_.entries().front() : *entry).hash;
    auto job = std::make_shared<Job>(
        Job{std::move(credentials), hash, std::move(key), entry != nullptr, false});
    if (is_cheap_hash(hash)) {
      job->right = job->known_user && verify_password(hash, job->credentials.password);
      return settle(exchange, *job);
    }
    return wait_for(exchange, std::move(job));
  }

  // The filter lives as long as the plan, and that as long as the exchange that waits.
  Verdict wait_for(Exchange& exchange, std::shared_ptr<Job> job) const {
    exchange::ExchangeContext& context = exchange.context();
    const exchange::WaitTicket ticket = exchange.begin_wait();
    worker::OffloadHandle handle = context.worker.offload().submit(
        context.worker.loop(), kPatience,
        [job] {
          const bool right = verify_password(job->hash, job->credentials.password);
          job->right = right && job->known_user;
        },
        [this, job, ticket, &context](bool ran) {
          Exchange* waiting = context.local.waits.find(ticket);
          if (waiting == nullptr) return;
          if (ran) {
            settle(*waiting, *job);
          } else {
            waiting->reply(503, "password verification waited for too long");
          }
          waiting->resume();
        });
    if (!handle.pending()) {
      exchange.reply(503, "too many password verifications are waiting");
      return Verdict::kReplied;
    }
    exchange.hold(std::make_unique<JobWait>(std::move(handle)));
    return Verdict::kWait;
  }

  Verdict settle(Exchange& exchange, const Job& job) const {
    verdicts.store(job.cache_key, job.right, exchange.context().worker.loop().now());
    return conclude(exchange, job.right, job.credentials.user);
  }

  Verdict conclude(Exchange& exchange, bool right, std::string_view user) const {
    if (!right) return challenge(exchange, "wrong user or password");
    exchange.set_user(user);
    return Verdict::kContinue;
  }

  Verdict challenge(Exchange& exchange, std::string_view why) const {
    exchange.reply(401, why);
    exchange.response().add("WWW-Authenticate", challenge_);
    return Verdict::kReplied;
  }

  std::string challenge_;
  Htpasswd users_;
  std::string policy_hash_;
};

}  // namespace

base::Result<exchange::FilterPtr> make_basic_auth(const model::Resource& policy) {
  auto settings = settings_of<features::BasicAuth>(policy);
  if (!settings.ok()) return std::move(settings).error();
  if (policy.blobs.size() < 2) {
    return base::invalid(policy.key.to_string() + ": has no users (blob 1)");
  }
  auto users = Htpasswd::parse(policy.blobs[1]);
  if (!users.ok()) return std::move(users).error().within(policy.key.to_string());
  return exchange::FilterPtr(
      std::make_shared<BasicAuthFilter>(settings.value(), std::move(users).value(), policy.hash));
}

}  // namespace weir::filters
