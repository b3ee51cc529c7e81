// Strict-Transport-Security on every response over TLS (RFC 6797), our own pages included.

#include "common/features/hsts.h"

#include "dataplane/exchange/exchange.h"
#include "dataplane/filters/kinds.h"
#include "dataplane/filters/settings_of.h"

namespace weir::filters {
namespace {

class HstsFilter final : public exchange::Filter {
 public:
  explicit HstsFilter(const features::Hsts& settings)
      : value_("max-age=" + std::to_string(settings.max_age.count())) {
    if (settings.include_subdomains) value_ += "; includeSubDomains";
    if (settings.preload) value_ += "; preload";
  }
  std::string_view stem() const override { return features::Hsts::kStem; }
  exchange::Hooks hooks() const override {
    return exchange::Hooks().with(exchange::Hook::kResponseHead);
  }
  // Over plain HTTP the field must not be sent (RFC 6797 section 7.2).
  void on_response_head(exchange::Exchange& exchange) const override {
    if (exchange.client().tls == nullptr) return;
    exchange.response().set("Strict-Transport-Security", value_);
  }

 private:
  std::string value_;
};

}  // namespace

base::Result<exchange::FilterPtr> make_hsts(const model::Resource& policy) {
  auto settings = settings_of<features::Hsts>(policy);
  if (!settings.ok()) return std::move(settings).error();
  if (settings.value().max_age.count() < 0) {
    return base::invalid(policy.key.to_string() + ": max_age_s: must not be negative");
  }
  return exchange::FilterPtr(std::make_shared<HstsFilter>(settings.value()));
}

}  // namespace weir::filters
