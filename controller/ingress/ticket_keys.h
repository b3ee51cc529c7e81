#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/model/resource.h"

namespace weir::ingress {

inline constexpr std::chrono::seconds kTicketPeriod{3600};     // between rotations, unless told
inline constexpr std::string_view kTicketField = "keys.json";  // of the Secret that replicas share

// The session ticket keys of all replicas. `current` makes tickets; all three open them. A key is
// `next` for one period before it is `current`, so that when the first replica makes tickets with
// it every other can open them, and `previous` for one after, so that tickets live on. Each is 80
// secret bytes of its own; none follows from another.
struct TicketRing {
  std::int64_t rotated = 0;  // when `current` became it, in seconds since the epoch
  std::string previous;
  std::string current;
  std::string next;

  bool empty() const { return current.empty(); }
  bool operator==(const TicketRing&) const = default;
};

TicketRing make_ticket_ring(std::int64_t now);
// One step on: current becomes previous, next becomes current.
TicketRing rotated(const TicketRing& ring, std::int64_t now);
// Whether a step is due. A ring from the future (a clock was wrong, here or where it was written)
// is due too: else nothing would rotate until then.
bool rotation_due(const TicketRing& ring, std::int64_t now, std::chrono::seconds period);

// As it stands in the Secret.
std::string to_text(const TicketRing& ring);
//   errors: kInvalid; the text holds nothing of the keys.
base::Result<TicketRing> parse_ticket_ring(std::string_view text);

// What the dataplane is told. ring: not empty.
model::ResourcePtr ticket_resource(const TicketRing& ring);

}  // namespace weir::ingress
