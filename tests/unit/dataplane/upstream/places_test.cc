#include "dataplane/upstream/places.h"

#include <gtest/gtest.h>

#include <map>

namespace weir::upstream {
namespace {

// "10.0.0.1:8080" and so on.
std::vector<std::string> ids(std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 1; i <= count; ++i) out.push_back("10.0.0." + std::to_string(i) + ":8080");
  return out;
}

std::vector<Places::Owner> owners(const std::vector<std::string>& of) {
  std::vector<Places::Owner> out;
  for (const std::string& id : of) out.push_back({id, 1});
  return out;
}

std::string place(const Places& places, const std::vector<std::string>& of, std::string_view key) {
  return of[places.owner(places.slot_of(key))];
}

TEST(Crc32, IsThatOfZlib) {
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
}

// Vectors of an independent implementation of lua-resty-chash.
TEST(Places, ARingPlacesKeysWhereIngressNginxDoes) {
  const auto four = ids(4);
  const Places ring = Places::ketama(owners(four));
  EXPECT_EQ(ring.size(), 640U);
  for (const auto& [key, want] :
       std::map<std::string, std::string>{{"", "10.0.0.1:8080"},
                                          {"/", "10.0.0.1:8080"},
                                          {"/cart?id=7", "10.0.0.3:8080"},
                                          {"user-42", "10.0.0.3:8080"},
                                          {"1700000000.123.17.4711", "10.0.0.2:8080"},
                                          {"203.0.113.9/index.html", "10.0.0.3:8080"}}) {
    EXPECT_EQ(place(ring, four, key), want) << key;
  }
  const std::vector<std::string> sets = {"set1", "set2", "set3"};
  const Places subsets = Places::ketama(owners(sets));
  EXPECT_EQ(place(subsets, sets, "/a"), "set3");
  EXPECT_EQ(place(subsets, sets, "/c"), "set1");
  EXPECT_EQ(place(subsets, sets, "/d"), "set2");
}

struct Kind {
  std::string_view name;
  Places (*make)(const std::vector<Places::Owner>&);
  double share_within;  // of the even share
};
const std::vector<Kind> kKinds = {{"ketama", &Places::ketama, 0.35},
                                  {"maglev", &Places::maglev, 0.05}};
constexpr int kKeys = 20'000;

TEST(Places, SpreadKeysByWeight) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    const auto ten = ids(10);
    const Places even = kind.make(owners(ten));
    std::map<std::uint32_t, int> seen;
    for (int i = 0; i < kKeys; ++i) ++seen[even.owner(even.slot_of("key" + std::to_string(i)))];
    ASSERT_EQ(seen.size(), 10U);
    for (const auto& [owner, count] : seen) {
      EXPECT_NEAR(count, kKeys / 10, kKeys / 10 * kind.share_within + 150) << owner;
    }
    const Places uneven = kind.make({{"a:1", 300}, {"b:1", 100}});
    int first = 0;
    for (int i = 0; i < kKeys; ++i) {
      first += uneven.owner(uneven.slot_of("key" + std::to_string(i))) == 0 ? 1 : 0;
    }
    EXPECT_NEAR(first, kKeys * 3 / 4, kKeys / 10);
  }
}

TEST(Places, AChangeOfTheSetMovesFewKeys) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    const auto ten = ids(10);
    auto nine = ten;
    nine.erase(nine.begin() + 4);
    const Places before = kind.make(owners(ten));
    const Places after = kind.make(owners(nine));
    int moved = 0;
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = "key" + std::to_string(i);
      const std::string from = place(before, ten, key);
      if (from != ten[4] && from != place(after, nine, key)) ++moved;
    }
    // A ring moves none of the others' keys; Maglev a few.
    EXPECT_LE(moved, kind.name == "ketama" ? 0 : kKeys / 20);
  }
}

TEST(Places, AnEmptySetHasNone) {
  EXPECT_EQ(Places::ketama({}).size(), 0U);
  EXPECT_EQ(Places::maglev({}).size(), 0U);
}

}  // namespace
}  // namespace weir::upstream
