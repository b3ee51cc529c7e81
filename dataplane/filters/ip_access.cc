// Refuses clients by their address with 403.

#include "common/features/ip_access.h"

#include "dataplane/filters/client_address.h"
#include "dataplane/filters/kinds.h"
#include "dataplane/filters/settings_of.h"

namespace weir::filters {
namespace {

class IpAccessFilter final : public exchange::Filter {
 public:
  IpAccessFilter(base::CidrSet allow, base::CidrSet deny)
      : allow_(std::move(allow)), deny_(std::move(deny)) {}
  std::string_view stem() const override { return features::IpAccess::kStem; }
  exchange::Hooks hooks() const override {
    return exchange::Hooks().with(exchange::Hook::kRequestHead);
  }

  exchange::Verdict on_request_head(exchange::Exchange& exchange) const override {
    const bool allowed = allow_.empty() || comes_from(allow_, exchange);
    if (allowed && !comes_from(deny_, exchange)) return exchange::Verdict::kContinue;
    exchange.reply(403, "the route does not serve this address");
    return exchange::Verdict::kReplied;
  }

 private:
  base::CidrSet allow_;
  base::CidrSet deny_;
};

}  // namespace

base::Result<exchange::FilterPtr> make_ip_access(const model::Resource& policy) {
  auto settings = settings_of<features::IpAccess>(policy);
  if (!settings.ok()) return std::move(settings).error();
  auto allow = base::CidrSet::parse(settings.value().allow);
  if (!allow.ok()) return std::move(allow).error().within("allow");
  auto deny = base::CidrSet::parse(settings.value().deny);
  if (!deny.ok()) return std::move(deny).error().within("deny");
  return exchange::FilterPtr(
      std::make_shared<IpAccessFilter>(std::move(allow).value(), std::move(deny).value()));
}

}  // namespace weir::filters
