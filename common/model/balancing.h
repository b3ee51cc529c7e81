#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

// How a cluster chooses an endpoint. The last four place a request by its route's key
// (Route::hash_on or Route::cookie); a request without a key takes turns.
enum class Balance : std::uint8_t {
  kRoundRobin,
  kLeastConn,     // fewest requests in flight in this process, by weight
  kEwma,          // the better of two at random: peak EWMA of the answer time x requests in flight
  kMaglev,        // consistent hash in a table
  kKetama,        // consistent hash on a ring, the points of nginx and ingress-nginx
  kKetamaSubset,  // the ring chooses a subset, chance an endpoint of it
  kNamed          // the key is the name of one endpoint (persistent sessions)
};
inline base::EnumNames enum_names(Balance) {
  return {"round_robin", "least_conn", "ewma", "maglev", "ketama", "ketama_subset", "named"};
}

struct Balancing {
  Balance policy = Balance::kRoundRobin;
  std::uint32_t subset_size = 3;            // of kKetamaSubset, at least 1
  std::chrono::milliseconds slow_start{0};  // a new endpoint's way to its whole weight; 0: at once
  bool prefer_zone = false;  // endpoints of the dataplane's own zone first; spills over when they
                             // are too few
  bool operator==(const Balancing&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("policy", &Balancing::policy), field("subset_size", &Balancing::subset_size),
              field("slow_start_ms", &Balancing::slow_start),
              field("prefer_zone", &Balancing::prefer_zone));
  }
};

enum class SameSite : std::uint8_t { kUnset, kNone, kLax, kStrict };
inline base::EnumNames enum_names(SameSite) { return {"", "None", "Lax", "Strict"}; }

// The cookie that keeps a client at one endpoint, in ingress-nginx's form: "key|tag", where the tag
// names the Service port. Always HttpOnly.
struct SessionCookie {
  std::string name = "INGRESSCOOKIE";
  std::string path = "/";
  std::string domain;
  std::optional<std::uint64_t> expires;  // seconds
  std::optional<std::uint64_t> max_age;  // seconds
  SameSite same_site = SameSite::kUnset;
  bool secure = false;            // false: only over TLS
  bool conditional_none = false;  // no SameSite=None for browsers that refuse it
  bool partitioned = false;
  bool change_on_failure = false;  // false: stays even at an endpoint that fails
  bool operator==(const SessionCookie&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("name", &SessionCookie::name), field("path", &SessionCookie::path),
              field("domain", &SessionCookie::domain), field("expires", &SessionCookie::expires),
              field("max_age", &SessionCookie::max_age),
              field("same_site", &SessionCookie::same_site),
              field("secure", &SessionCookie::secure),
              field("conditional_none", &SessionCookie::conditional_none),
              field("partitioned", &SessionCookie::partitioned),
              field("change_on_failure", &SessionCookie::change_on_failure));
  }
};

}  // namespace weir::model
