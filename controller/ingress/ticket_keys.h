#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "common/model/resource.h"

namespace weir::ingress {

// Session ticket keys follow from a seed and the time, so that replicas with the same seed have the
// same keys at the same time and rotate them without a word to each other.
inline constexpr std::chrono::hours kTicketPeriod{12};  // far longer than a ticket lives
inline constexpr std::size_t kSmallestTicketSeed = 32;  // bytes

std::int64_t ticket_period(std::int64_t epoch_seconds);

// The keys of a period: its own, which makes tickets, then those of the period before and the
// period after, which only open them (a replica's clock may be ahead). seed: at least
// kSmallestTicketSeed secret bytes.
model::ResourcePtr derive_ticket_keys(std::string_view seed, std::int64_t period);

}  // namespace weir::ingress
