#include "controller/peers/authority_ring.h"

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/crypto/issue.h"
#include "common/crypto/trust_bundle.h"

namespace weir::peers {
namespace {

constexpr int kAuthorityDays = 3 * 90 + 30;

base::Error invalid_ring(std::string_view why) {
  return base::invalid(std::string(kAuthorityField) +
                       " must be a JSON object with rotated (seconds since the epoch), previous "
                       "(PEM), current and next (each with certificate and key, PEM): " +
                       std::string(why));
}

// Names differ, so that of several trusted ones the right one is found by name.
crypto::PemPair fresh_authority(std::int64_t now) {
  return crypto::make_authority("weir peers " + base::hex(crypto::random_bytes(8)), now,
                                kAuthorityDays);
}

base::Json json_of(const crypto::PemPair& pair) {
  base::Json out = base::Json::object();
  out.set("certificate", pair.certificate);
  out.set("key", pair.key);
  return out;
}

base::Result<crypto::PemPair> pair_of(const base::Json& json) {
  crypto::PemPair out{json["certificate"].as_string(), json["key"].as_string()};
  auto parsed = crypto::parse_key_pair(out.certificate, out.key);
  if (!parsed.ok()) return std::move(parsed).error();
  crypto::wipe(parsed.value().key);
  return out;
}

}  // namespace

AuthorityRing make_authority_ring(std::int64_t now) {
  return {now, "", fresh_authority(now), fresh_authority(now)};
}

AuthorityRing rotated(const AuthorityRing& ring, std::int64_t now, std::chrono::seconds period) {
  if (now - ring.rotated >= 2 * period.count()) return make_authority_ring(now);
  return {now, ring.current.certificate, ring.next, fresh_authority(now)};
}

bool rotation_due(const AuthorityRing& ring, std::int64_t now, std::chrono::seconds period) {
  const std::int64_t age = now - ring.rotated;
  return age >= period.count() || age < -period.count();
}

std::string to_text(const AuthorityRing& ring) {
  base::Json out = base::Json::object();
  out.set("rotated", ring.rotated);
  out.set("previous", ring.previous);
  out.set("current", json_of(ring.current));
  out.set("next", json_of(ring.next));
  return out.to_string();
}

base::Result<AuthorityRing> parse_authority_ring(std::string_view text) {
  const auto read = base::Json::parse(text);
  if (!read.ok() || !read.value()["rotated"].is_int()) return invalid_ring("it is not");
  AuthorityRing out;
  out.rotated = read.value()["rotated"].as_int();
  out.previous = read.value()["previous"].as_string();
  if (!out.previous.empty()) {
    const auto trusted = crypto::parse_trust_bundle(out.previous, std::nullopt);
    if (!trusted.ok()) return invalid_ring("previous: " + trusted.error().text);
  }
  for (crypto::PemPair* const pair : {&out.current, &out.next}) {
    const std::string_view name = pair == &out.current ? "current" : "next";
    auto parsed = pair_of(read.value()[name]);
    if (!parsed.ok()) return invalid_ring(std::string(name) + ": " + parsed.error().text);
    *pair = std::move(parsed).value();
  }
  return out;
}

}  // namespace weir::peers
