#include "common/base/persistent_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace weir::base {
namespace {

using Map = PersistentMap<int>;

std::shared_ptr<const int> box(int value) { return std::make_shared<const int>(value); }

std::map<std::string, int> content(const Map& map) {
  std::map<std::string, int> out;
  map.for_each([&out](std::string_view key, const int& value) {
    EXPECT_TRUE(out.emplace(key, value).second) << "a key twice";
  });
  EXPECT_EQ(out.size(), map.size());
  return out;
}

TEST(PersistentMap, AnswersLikeAPlainMapOverRandomHistories) {
  std::mt19937 random(3);
  Map map;
  std::map<std::string, int> plain;
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = "key-" + std::to_string(random() % 3000);
    if (random() % 3 == 0) {
      map = map.without(key);
      plain.erase(key);
    } else {
      map = map.with(key, box(step));
      plain[key] = step;
    }
    const int* found = map.find(key);
    ASSERT_EQ(found != nullptr, plain.contains(key));
    if (found != nullptr) {
      ASSERT_EQ(*found, plain[key]);
    }
    ASSERT_EQ(map.size(), plain.size());
  }
  EXPECT_EQ(content(map), plain);
  for (const auto& [key, value] : std::map(plain)) map = map.without(key);
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(content(map).size(), 0U);
}

// About 15 keys a bucket: probes go past keys of others and past the place of one that left.
TEST(PersistentMap, FindsEveryKeyInFullBuckets) {
  constexpr int kKeys = 60'000;
  const auto key = [](int i) { return "host-" + std::to_string(i) + ".example.test"; };
  Map map;
  for (int i = 0; i < kKeys; ++i) map = map.with(key(i), box(i));
  for (int i = 0; i < kKeys; i += 3) map = map.without(key(i));
  for (int i = 1; i < kKeys; i += 3) map = map.with(key(i), box(-i));
  ASSERT_EQ(map.size(), std::size_t{kKeys} - kKeys / 3);
  for (int i = 0; i < kKeys; ++i) {
    const int* found = map.find(key(i));
    ASSERT_EQ(found == nullptr, i % 3 == 0) << i;
    if (found != nullptr) {
      ASSERT_EQ(*found, i % 3 == 1 ? -i : i);
    }
  }
}

TEST(PersistentMap, CopiesAreIndependentInBothDirections) {
  std::vector<Map> versions{Map()};
  for (int i = 0; i < 300; ++i) {
    versions.push_back(versions.back().with("k" + std::to_string(i), box(i)));
  }
  const Map changed = versions[200].with("k5", box(-5)).without("k6");
  for (std::size_t v = 0; v < versions.size(); ++v) {
    ASSERT_EQ(versions[v].size(), v);
    for (std::size_t i = 0; i < 300; i += 13) {
      ASSERT_EQ(versions[v].find("k" + std::to_string(i)) != nullptr, i < v);
    }
  }
  EXPECT_EQ(*changed.find("k5"), -5);
  EXPECT_EQ(*versions[200].find("k5"), 5);
  EXPECT_EQ(changed.find("k6"), nullptr);
  EXPECT_EQ(*versions[200].find("k6"), 6);
}

TEST(PersistentMap, ValuesAreSharedAndFreedWithTheLastMap) {
  const auto value = box(1);
  Map map = Map().with("a", value);
  {
    Map other = map.with("b", box(2));
    EXPECT_EQ(other.share("a"), value);
    EXPECT_EQ(other.find("a"), value.get());
    EXPECT_EQ(other.share("none"), nullptr);
    map = Map();
    EXPECT_EQ(*other.find("a"), 1);
  }
  EXPECT_EQ(value.use_count(), 1);
}

TEST(PersistentMap, RemovingAMissingKeyCostsNothing) {
  const Map map = Map().with("a", box(1));
  EXPECT_EQ(map.without("b").find("a"), map.find("a"));
  EXPECT_EQ(Map().without("b").size(), 0U);
}

TEST(PersistentMap, EmptyAndBinaryKeysAreKeys) {
  const std::string nul("a\0b", 3);
  const Map map = Map().with("", box(1)).with(nul, box(2)).with("a", box(3));
  EXPECT_EQ(*map.find(""), 1);
  EXPECT_EQ(*map.find(nul), 2);
  EXPECT_EQ(*map.find("a"), 3);
}

TEST(Hash, SpreadsKeysAndDependsOnSeedLengthAndEveryByte) {
  std::set<std::uint64_t> seen;
  std::vector<int> buckets(64);
  for (int i = 0; i < 64'000; ++i) {
    const std::uint64_t hash = hash_bytes("shop-" + std::to_string(i) + ".example.test", 42);
    seen.insert(hash);
    ++buckets[hash >> 58];
  }
  EXPECT_EQ(seen.size(), 64'000U);
  for (const int count : buckets) EXPECT_NEAR(count, 1000, 200);
  EXPECT_NE(hash_bytes("a", 1), hash_bytes("a", 2));
  EXPECT_EQ(hash_bytes("a"), hash_bytes("a", process_seed()));
  const std::string zeros(40, '\0');
  for (std::size_t size = 0; size < 40; ++size) {
    EXPECT_NE(hash_bytes(std::string_view(zeros).substr(0, size), 1),
              hash_bytes(std::string_view(zeros).substr(0, size + 1), 1));
  }
  const std::string text(40, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = 'y';
    EXPECT_NE(hash_bytes(text, 1), hash_bytes(other, 1)) << i;
  }
}

}  // namespace
}  // namespace weir::base
