#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::upstream {

// Consistent hashing: which of a set of owners a key belongs to, and who is next when the owner
// cannot take it. A circle of slots, each with an owner. A change of the set moves few other keys.
// The same set gives the same places in every process. Immutable; built by snapshot/.
class Places {
 public:
  struct Owner {
    std::string_view id;
    std::uint32_t weight = 1;  // at least 1
  };

  // nginx's ring as lua-resty-chash builds it, and so ingress-nginx's: 160 points for each part of
  // the weight (weights divided by their common divisor, at most 100), keys and points by CRC-32.
  static Places ketama(const std::vector<Owner>& owners);
  // The table of Google's Maglev, 65,537 slots.
  static Places maglev(const std::vector<Owner>& owners);

  std::size_t size() const { return owners_.size(); }  // 0: no owner
  std::size_t slot_of(std::string_view key) const;     // precondition: size() > 0
  // Index into the owners.
  std::uint32_t owner(std::size_t slot) const { return owners_[slot]; }
  std::size_t next(std::size_t slot) const { return slot + 1 == owners_.size() ? 0 : slot + 1; }

 private:
  std::vector<std::uint32_t> points_;  // of a ring, ascending; empty for a table
  std::vector<std::uint32_t> owners_;  // by slot
};

// CRC-32 of IEEE 802.3, as zlib's.
std::uint32_t crc32(std::string_view bytes);

}  // namespace weir::upstream
