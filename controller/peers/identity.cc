#include "controller/peers/identity.h"

#include "common/base/log.h"
#include "common/crypto/issue.h"
#include "controller/peers/authority_ring.h"

namespace weir::peers {
namespace {

constexpr std::chrono::hours kLife{24};
constexpr std::chrono::seconds kRenewAfter = std::chrono::hours(8);

base::Result<std::shared_ptr<const TlsContext>> make_context(const std::string& text,
                                                             std::int64_t now) {
  const auto ring = parse_authority_ring(text);
  if (!ring.ok()) return ring.error();
  auto own = crypto::issue_certificate(ring.value().current, kPeerName, now, kLife);
  if (!own.ok()) return std::move(own).error();
  auto context = TlsContext::make(own.value(), ring.value().trusted());
  crypto::wipe(own.value().key);
  return context;
}

}  // namespace

bool Identity::look(const std::string& text) {
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wall_now().time_since_epoch())
          .count();
  const std::int64_t age = now - issued_;
  const bool fresh = age >= 0 && age < kRenewAfter.count();
  if (text.empty() || (text == text_ && fresh)) return false;
  text_ = text;
  issued_ = now;
  auto context = make_context(text, now);
  if (!context.ok()) {
    // Peers that still have the authorities of before are met with the certificate of before.
    problem_ = context.error().text;
    base::log_warn("no certificate for the peers channel", {{"reason", problem_}});
    return false;
  }
  context_ = std::move(context).value();
  problem_.clear();
  return true;
}

}  // namespace weir::peers
