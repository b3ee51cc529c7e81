#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "common/base/fields.h"
#include "common/model/backend.h"

namespace weir::model {

using base::field;

// The header that tells a backend of a byte stream who the client is (HAProxy's PROXY protocol).
enum class ProxyHeader : std::uint8_t { kNone, kV1, kV2 };
inline base::EnumNames enum_names(ProxyHeader) { return {"none", "v1", "v2"}; }

// How connections are served below HTTP: a TCP or UDP listener, and TLS that is passed through.
struct StreamRule {
  std::vector<WeightedBackend> backends;        // empty: nobody; an invalid one closes what it gets
  ProxyHeader send_proxy = ProxyHeader::kNone;  // not for UDP
  std::chrono::milliseconds idle_timeout{600'000};  // no byte in either direction; 0: none
  std::uint32_t tries = 3;      // endpoints that may be tried until one can be connected to
  std::uint32_t responses = 1;  // UDP: a flow ends once each datagram of the client has had this
                                // many answers; 0: only by the idle timeout
  bool operator==(const StreamRule&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("backends", &StreamRule::backends),
              field("send_proxy", &StreamRule::send_proxy),
              field("idle_timeout_ms", &StreamRule::idle_timeout),
              field("tries", &StreamRule::tries), field("responses", &StreamRule::responses));
  }
};

}  // namespace weir::model
