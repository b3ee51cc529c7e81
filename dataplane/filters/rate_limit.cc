// Refuses what one client address asks of a route beyond its rates, or beyond what it may have
// open.

#include "common/features/rate_limit.h"

#include "common/base/hash.h"
#include "dataplane/filters/client_address.h"
#include "dataplane/filters/kinds.h"
#include "dataplane/filters/settings_of.h"
#include "dataplane/shared/client_key.h"

namespace weir::filters {
namespace {

using exchange::Verdict;

// One of the limits of a zone. Salts of two limits differ, so that tables can be shared.
struct Limit {
  std::uint64_t salt = 0;
  shared::Rate rate;  // interval 0: no limit
};

struct Open final : exchange::FilterState, upstream::Recycled<Open> {
  explicit Open(std::uint64_t key_of) : key(key_of) {}
  std::uint64_t key;
};

Limit make_limit(const features::RateLimit& settings, std::string_view kind,
                 std::uint64_t window_us, std::uint64_t count) {
  if (count == 0) return {};
  const std::uint64_t interval = std::max<std::uint64_t>(window_us / count, 1);
  constexpr std::uint64_t kMostBurst = 1 << 20;
  return {base::hash_bytes(settings.zone + " " + std::string(kind)),
          {interval, std::min(count * settings.burst_multiplier, kMostBurst)}};
}

class RateLimitFilter final : public exchange::Filter {
 public:
  RateLimitFilter(const features::RateLimit& settings, base::CidrSet exempt)
      : second_(make_limit(settings, "second", 1'000'000, settings.per_second)),
        minute_(make_limit(settings, "minute", 60'000'000, settings.per_minute)),
        open_salt_(base::hash_bytes(settings.zone + " open")),
        most_open_(settings.connections),
        rate_status_(settings.rate_status),
        open_status_(settings.connections_status),
        exempt_(std::move(exempt)) {}
  std::string_view stem() const override { return features::RateLimit::kStem; }
  exchange::Hooks hooks() const override {
    const auto head = exchange::Hooks().with(exchange::Hook::kRequestHead);
    return most_open_ == 0 ? head : head.with(exchange::Hook::kComplete);
  }

  Verdict on_request_head(exchange::Exchange& exchange) const override {
    if (exchange.context().limits == nullptr || comes_from(exempt_, exchange)) {
      return Verdict::kContinue;
    }
    if (!takes(exchange, second_) || !takes(exchange, minute_)) {
      exchange.reply(rate_status_, "the client's requests come too fast");
      return Verdict::kReplied;
    }
    return most_open_ == 0 ? Verdict::kContinue : open(exchange);
  }

  void on_complete(exchange::Exchange& exchange) const override {
    if (exchange.state() == nullptr) return;
    exchange.context().limits->open.leave(static_cast<const Open&>(*exchange.state()).key);
  }

 private:
  static bool takes(exchange::Exchange& exchange, const Limit& limit) {
    if (limit.rate.interval_us == 0) return true;
    exchange::ExchangeContext& context = exchange.context();
    return context.limits->rates.take(shared::client_key(exchange.client().address, limit.salt),
                                      limit.rate, context.worker.loop().now());
  }

  Verdict open(exchange::Exchange& exchange) const {
    using Entry = shared::CountTable::Entry;
    const std::uint64_t key = shared::client_key(exchange.client().address, open_salt_);
    const Entry entry = exchange.context().limits->open.enter(key, most_open_);
    if (entry == Entry::kFull) {
      exchange.reply(open_status_, "the client has too many requests open");
      return Verdict::kReplied;
    }
    if (entry == Entry::kCounted) exchange.state() = std::make_unique<Open>(key);
    return Verdict::kContinue;
  }

  const Limit second_;
  const Limit minute_;
  const std::uint64_t open_salt_;
  const std::uint32_t most_open_;
  const int rate_status_;
  const int open_status_;
  const base::CidrSet exempt_;
};

}  // namespace

base::Result<exchange::FilterPtr> make_rate_limit(const model::Resource& policy) {
  auto settings = settings_of<features::RateLimit>(policy);
  if (!settings.ok()) return std::move(settings).error();
  for (const auto& [name, status] :
       {std::pair("rate_status", settings.value().rate_status),
        std::pair("connections_status", settings.value().connections_status)}) {
    if (status < 400 || status > 599) {
      return base::invalid(std::string(name) + ": " + std::to_string(status) +
                           " is not in 400..599");
    }
  }
  auto exempt = base::CidrSet::parse(settings.value().exempt);
  if (!exempt.ok()) return std::move(exempt).error().within("exempt");
  return exchange::FilterPtr(
      std::make_shared<RateLimitFilter>(settings.value(), std::move(exempt).value()));
}

}  // namespace weir::filters
