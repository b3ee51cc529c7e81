// Answers plain HTTP with a redirect to https://.

#include "common/features/redirect_https.h"

#include "common/base/authority.h"
#include "dataplane/exchange/exchange.h"
#include "dataplane/filters/kinds.h"
#include "dataplane/filters/settings_of.h"

namespace weir::filters {
namespace {

class RedirectHttpsFilter final : public exchange::Filter {
 public:
  explicit RedirectHttpsFilter(const features::RedirectHttps& settings) : settings_(settings) {}
  std::string_view stem() const override { return features::RedirectHttps::kStem; }
  exchange::Hooks hooks() const override {
    return exchange::Hooks().with(exchange::Hook::kRequestHead);
  }

  exchange::Verdict on_request_head(exchange::Exchange& exchange) const override {
    if (exchange.client_uses_tls()) return exchange::Verdict::kContinue;
    const codec::Head& request = exchange.request();
    if (request.authority().empty()) {
      exchange.reply(400, "a redirect to https needs a host");
      return exchange::Verdict::kReplied;
    }
    const std::string location = location_for(request);
    exchange.reply(settings_.code);
    exchange.response().set("Location", location);
    return exchange::Verdict::kReplied;
  }

 private:
  // Built from the authority that the codec has checked, never from a header of the client's: no
  // open redirect, no line break.
  std::string location_for(const codec::Head& request) const {
    std::string out = "https://";
    out += base::without_port(request.authority());
    if (settings_.port != 443) out += ":" + std::to_string(settings_.port);
    std::string_view target = request.target();
    if (!target.starts_with('/')) target = "/";  // "*" of OPTIONS
    const bool has_query = target.find('?') != std::string_view::npos;
    if (!settings_.keep_trailing_slash && !has_query && target.ends_with('/')) {
      target.remove_suffix(1);
    }
    out += target;
    return out;
  }

  features::RedirectHttps settings_;
};

}  // namespace

base::Result<exchange::FilterPtr> make_redirect_https(const model::Resource& policy) {
  auto settings = settings_of<features::RedirectHttps>(policy);
  if (!settings.ok()) return std::move(settings).error();
  const auto code = settings.value().code;
  if (code != 301 && code != 302 && code != 307 && code != 308) {
    return base::invalid(policy.key.to_string() + ": code: " + std::to_string(code) +
                         " is not 301, 302, 307 or 308");
  }
  return exchange::FilterPtr(std::make_shared<RedirectHttpsFilter>(settings.value()));
}

}  // namespace weir::filters
