#include "controller/ingress/ticket_keys.h"

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/crypto/certificate.h"

namespace weir::ingress {
namespace {

constexpr std::size_t kKeyBytes = 80;  // 16 name, 32 HMAC, 32 AES

base::Error invalid_ring() {
  return base::invalid(
      "must be a JSON object with rotated (seconds since the epoch) and previous, current and next "
      "(80 bytes each in base64)");
}

}  // namespace

TicketRing make_ticket_ring(std::int64_t now) {
  return {now, crypto::random_bytes(kKeyBytes), crypto::random_bytes(kKeyBytes),
          crypto::random_bytes(kKeyBytes)};
}

TicketRing rotated(const TicketRing& ring, std::int64_t now) {
  return {now, ring.current, ring.next, crypto::random_bytes(kKeyBytes)};
}

bool rotation_due(const TicketRing& ring, std::int64_t now, std::chrono::seconds period) {
  const std::int64_t age = now - ring.rotated;
  return age >= period.count() || age < -period.count();
}

std::string to_text(const TicketRing& ring) {
  base::Json out = base::Json::object();
  out.set("rotated", ring.rotated);
  out.set("previous", base::base64_encode(ring.previous));
  out.set("current", base::base64_encode(ring.current));
  out.set("next", base::base64_encode(ring.next));
  return out.to_string();
}

base::Result<TicketRing> parse_ticket_ring(std::string_view text) {
  const auto read = base::Json::parse(text);
  if (!read.ok() || !read.value()["rotated"].is_int()) return invalid_ring();
  TicketRing out;
  out.rotated = read.value()["rotated"].as_int();
  for (const auto& [name, key] :
       {std::pair{"previous", &out.previous}, {"current", &out.current}, {"next", &out.next}}) {
    auto bytes = base::base64_decode(read.value()[name].as_string());
    if (!bytes.has_value() || bytes->size() != kKeyBytes) return invalid_ring();
    *key = std::move(*bytes);
  }
  return out;
}

model::ResourcePtr ticket_resource(const TicketRing& ring) {
  model::TicketKeys keys;
  keys.count = 3;
  return model::make_resource(keys, {ring.current, ring.previous, ring.next});
}

}  // namespace weir::ingress
