#include "controller/peers/writers.h"

#include <utility>

#include "controller/ingress/ticket_keys.h"
#include "controller/peers/authority_ring.h"

namespace weir::peers {
namespace {

std::optional<std::string> tickets_due(const std::string& text, std::int64_t now,
                                       std::chrono::seconds period) {
  const auto ring = ingress::parse_ticket_ring(text);
  if (!ring.ok() || ring.value().empty()) return ingress::to_text(ingress::make_ticket_ring(now));
  if (!ingress::rotation_due(ring.value(), now, period)) return std::nullopt;
  return ingress::to_text(ingress::rotated(ring.value(), now));
}

// Reading the certificates anew every second would be work for nothing.
class AuthoritiesDue {
 public:
  explicit AuthoritiesDue(std::chrono::seconds period) : period_(period) {}

  std::optional<std::string> operator()(const std::string& text, std::int64_t now) {
    if (text != text_) {
      text_ = text;
      auto parsed = parse_authority_ring(text);
      ring_ = parsed.ok() ? std::move(parsed).value() : AuthorityRing{};
    }
    if (ring_.empty()) return to_text(make_authority_ring(now));
    if (!rotation_due(ring_, now, period_)) return std::nullopt;
    return to_text(rotated(ring_, now, period_));
  }

 private:
  std::chrono::seconds period_;
  std::string text_;
  AuthorityRing ring_;
};

}  // namespace

std::unique_ptr<SecretWriter> make_ticket_writer(kubernetes::ApiClient& client,
                                                 const SharedSecret& secret,
                                                 const store::Store& store,
                                                 base::UniqueFunction<bool()> may_write) {
  return std::make_unique<SecretWriter>(
      client,
      SecretWriter::Place{secret.ns, secret.name, std::string(ingress::kTicketField),
                          "session ticket keys"},
      store,
      [period = secret.period](const std::string& text, std::int64_t now) {
        return tickets_due(text, now, period);
      },
      std::move(may_write));
}

std::unique_ptr<SecretWriter> make_authority_writer(kubernetes::ApiClient& client,
                                                    const SharedSecret& secret,
                                                    const store::Store& store,
                                                    base::UniqueFunction<bool()> may_write) {
  return std::make_unique<SecretWriter>(
      client,
      SecretWriter::Place{secret.ns, secret.name, std::string(kAuthorityField),
                          "authorities of the peers channel"},
      store, AuthoritiesDue(secret.period), std::move(may_write));
}

}  // namespace weir::peers
