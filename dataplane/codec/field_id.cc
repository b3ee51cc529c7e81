#include <array>
#include <cstddef>
#include <cstring>

#include "dataplane/codec/h1_scan.h"
#include "dataplane/codec/head.h"

namespace weir::codec {
namespace {

// In the order of FieldId; kOther has none.
constexpr std::array<std::string_view, 41> kNames = {
    "",
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "location",
    "origin",
    "proxy",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "referer",
    "server",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-original-forwarded-for",
    "x-real-ip",
    "x-request-id",
    "x-scheme",
};
static_assert(kNames.size() == static_cast<std::size_t>(FieldId::kXScheme) + 1);

constexpr std::size_t kSlots = 512;

// First, middle and the last two bytes, and the length. Setting bit 0x20 makes a letter lower case;
// what it does to other bytes does no harm, since the comparison decides.
constexpr std::size_t slot_of(std::string_view name, std::size_t factor) {
  const auto at = [name](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(name[i]) | 0x20U);
  };
  const std::size_t last = name.size() - 1;
  const std::size_t mixed = at(0) + (at(last / 2) << 8) + (at(last) << 16) +
                            (at(last > 0 ? last - 1 : 0) << 24) + (name.size() << 32);
  return (mixed * factor >> 40) % kSlots;
}

constexpr bool fits(std::size_t factor) {
  std::array<bool, kSlots> taken{};
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    const std::size_t slot = slot_of(kNames[i], factor);
    if (taken[slot]) return false;
    taken[slot] = true;
  }
  return true;
}

// The multiplier under which no two names share a slot, found while compiling.
constexpr std::size_t find_factor() {
  for (std::size_t factor = 0x9e37'79b1; factor < 0x9e37'79b1 + 4'000; factor += 2) {
    if (fits(factor)) return factor;
  }
  return 0;
}
constexpr std::size_t kFactor = find_factor();
static_assert(kFactor != 0);

constexpr std::array<std::uint8_t, kSlots> make_slots() {
  std::array<std::uint8_t, kSlots> slots{};
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    slots[slot_of(kNames[i], kFactor)] = static_cast<std::uint8_t>(i);
  }
  return slots;
}
constexpr std::array<std::uint8_t, kSlots> kSlotTable = make_slots();

template <typename Word>
bool word_equals(const char* name, const char* known) {
  Word a = 0;
  Word b = 0;
  std::memcpy(&a, name, sizeof a);
  std::memcpy(&b, known, sizeof b);
  // Of the bytes in known names, letters and only they have bit 0x40: there case may differ.
  constexpr auto kLetters = static_cast<Word>(0x4040'4040'4040'4040ULL);
  return ((a ^ b) & ~((b & kLetters) >> 1)) == 0;
}

// Equal but for the case of letters, a word a step; the last step may overlap the one before it.
bool is_known(const char* name, std::string_view known) {
  const std::size_t size = known.size();
  if (size < sizeof(std::uint32_t)) return same_name({name, size}, known);
  if (size < sizeof(std::uint64_t)) {
    const std::size_t last = size - sizeof(std::uint32_t);
    return word_equals<std::uint32_t>(name, known.data()) &&
           word_equals<std::uint32_t>(name + last, known.data() + last);
  }
  const std::size_t last = size - sizeof(std::uint64_t);
  for (std::size_t i = 0; i < last; i += sizeof(std::uint64_t)) {
    if (!word_equals<std::uint64_t>(name + i, known.data() + i)) return false;
  }
  return word_equals<std::uint64_t>(name + last, known.data() + last);
}

constexpr bool has_only_plain_bytes() {
  for (const std::string_view name : kNames) {
    for (const char c : name) {
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    }
  }
  return true;
}
static_assert(has_only_plain_bytes());

}  // namespace

FieldId field_id(std::string_view name) {
  if (name.empty()) return FieldId::kOther;
  const std::uint8_t index = kSlotTable[slot_of(name, kFactor)];
  if (index == 0 || name.size() != kNames[index].size() || !is_known(name.data(), kNames[index])) {
    return FieldId::kOther;
  }
  return static_cast<FieldId>(index);
}

std::string_view field_name(FieldId id) { return kNames[static_cast<std::size_t>(id)]; }

}  // namespace weir::codec
