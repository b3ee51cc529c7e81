#include "dataplane/upstream/places.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "common/base/hash.h"

namespace weir::upstream {
namespace {

constexpr std::size_t kPointsPerWeight = 160;
constexpr std::uint32_t kMostParts = 100;
constexpr std::uint64_t kTableSize = 65'537;  // a prime
// Not the process's seed: every replica must place a key alike.
constexpr std::uint64_t kOffsetSeed = 0x5bd1e995;
constexpr std::uint64_t kSkipSeed = 0x9747b28c;
constexpr std::uint64_t kKeySeed = 0xcc9e2d51;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xedb88320U ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

std::uint32_t crc32_more(std::uint32_t state, std::string_view bytes) {
  for (const char byte : bytes) {
    state = kCrcTable[(state ^ static_cast<unsigned char>(byte)) & 0xff] ^ (state >> 8);
  }
  return state;
}

std::uint32_t common_divisor(const std::vector<Places::Owner>& owners) {
  std::uint32_t out = 0;
  for (const Places::Owner& one : owners) out = std::gcd(out, one.weight);
  return std::max(out, 1U);
}

struct Point {
  std::uint32_t hash;
  std::uint32_t owner;
  bool operator<(const Point& other) const {
    return hash != other.hash ? hash < other.hash : owner < other.owner;
  }
};

// Each point's hash goes on from the owner's id with the four bytes of the point before.
void add_points(std::string_view id, std::uint32_t owner, std::size_t count,
                std::vector<Point>& out) {
  const std::uint32_t base = crc32_more(0xffffffff, id);
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::array<char, 4> bytes = {static_cast<char>(before), static_cast<char>(before >> 8),
                                       static_cast<char>(before >> 16),
                                       static_cast<char>(before >> 24)};
    before = ~crc32_more(base, {bytes.data(), bytes.size()});
    out.push_back({before, owner});
  }
}

// One owner's walk through the table.
struct Walk {
  std::uint64_t at;
  std::uint64_t skip;
  double share;    // weight, the largest being 1
  double due = 0;  // turns that it may have had
  std::uint64_t taken = 0;
};

}  // namespace

std::uint32_t crc32(std::string_view bytes) { return ~crc32_more(0xffffffff, bytes); }

Places Places::ketama(const std::vector<Owner>& owners) {
  const std::uint32_t divisor = common_divisor(owners);
  std::vector<Point> points;
  for (std::uint32_t i = 0; i < owners.size(); ++i) {
    const std::size_t parts = std::clamp(owners[i].weight / divisor, 1U, kMostParts);
    add_points(owners[i].id, i, parts * kPointsPerWeight, points);
  }
  std::sort(points.begin(), points.end());
  Places out;
  out.points_.reserve(points.size());
  out.owners_.reserve(points.size());
  for (const Point& point : points) {
    out.points_.push_back(point.hash);
    out.owners_.push_back(point.owner);
  }
  return out;
}

Places Places::maglev(const std::vector<Owner>& owners) {
  Places out;
  if (owners.empty()) return out;
  std::uint32_t heaviest = 1;
  for (const Owner& one : owners) heaviest = std::max(heaviest, one.weight);
  std::vector<Walk> walks;
  walks.reserve(owners.size());
  for (const Owner& one : owners) {
    walks.push_back({base::hash_bytes(one.id, kOffsetSeed) % kTableSize,
                     base::hash_bytes(one.id, kSkipSeed) % (kTableSize - 1) + 1,
                     static_cast<double>(one.weight) / heaviest});
  }
  constexpr std::uint32_t kFree = UINT32_MAX;
  out.owners_.assign(kTableSize, kFree);
  for (std::uint64_t filled = 0; filled < kTableSize;) {
    for (std::uint32_t i = 0; i < walks.size() && filled < kTableSize; ++i) {
      Walk& walk = walks[i];
      walk.due += walk.share;
      if (walk.due < static_cast<double>(walk.taken + 1)) continue;
      while (out.owners_[walk.at] != kFree) walk.at = (walk.at + walk.skip) % kTableSize;
      out.owners_[walk.at] = i;
      ++walk.taken;
      ++filled;
    }
  }
  return out;
}

std::size_t Places::slot_of(std::string_view key) const {
  if (points_.empty()) return base::hash_bytes(key, kKeySeed) % owners_.size();
  const auto at = std::lower_bound(points_.begin(), points_.end(), crc32(key));
  return at == points_.end() ? 0 : static_cast<std::size_t>(at - points_.begin());
}

}  // namespace weir::upstream
