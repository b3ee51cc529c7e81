#include "controller/ingress/ticket_keys.h"

#include "common/crypto/digest.h"

namespace weir::ingress {
namespace {

constexpr std::size_t kKeyBytes = 80;

// Every block is a digest of its own over the whole seed: no block tells anything of another.
std::string derive(std::string_view seed, std::int64_t period) {
  std::string out;
  for (int block = 0; out.size() < kKeyBytes; ++block) {
    crypto::Sha256 digest;
    digest.add("weir session ticket key " + std::to_string(seed.size()) + ":");
    digest.add(seed);
    digest.add(" " + std::to_string(period) + " " + std::to_string(block));
    out += digest.finish();
  }
  out.resize(kKeyBytes);
  return out;
}

}  // namespace

std::int64_t ticket_period(std::int64_t epoch_seconds) {
  return epoch_seconds / std::chrono::seconds(kTicketPeriod).count();
}

model::ResourcePtr derive_ticket_keys(std::string_view seed, std::int64_t period) {
  model::TicketKeys keys;
  keys.count = 3;
  return model::make_resource(
      keys, {derive(seed, period), derive(seed, period - 1), derive(seed, period + 1)});
}

}  // namespace weir::ingress
