// Rates and counts by client address, in fixed memory.

#include "dataplane/shared/client_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/shared/client_key.h"

namespace weir::shared {
namespace {

using namespace std::chrono_literals;

const base::TimePoint kStart{std::chrono::hours(1)};

Rate per_second(std::uint64_t rate, std::uint64_t burst) { return {1'000'000 / rate, burst}; }

int granted(RateTable& table, std::uint64_t key, const Rate& rate, base::TimePoint now, int asked) {
  int out = 0;
  for (int i = 0; i < asked; ++i) out += table.take(key, rate, now) ? 1 : 0;
  return out;
}

TEST(ClientKey, ASlash64IsOneClientAndAMappedAddressItsIpv4) {
  const auto same = [](std::string_view a, std::string_view b) {
    return client_key(a, 7) == client_key(b, 7);
  };
  EXPECT_TRUE(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
  EXPECT_FALSE(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
  EXPECT_TRUE(same("10.9.8.7", "::ffff:10.9.8.7"));
  EXPECT_FALSE(same("10.9.8.7", "10.9.8.8"));
  EXPECT_FALSE(same("unknown", "10.9.8.8"));
  EXPECT_NE(client_key("10.9.8.7", 1), client_key("10.9.8.7", 2)) << "each limit has its own";
  EXPECT_EQ(client_key("10.9.8.7", 1),
            client_key(base::SocketAddress::parse("10.9.8.7", 80).value(), 1));
}

TEST(RateTable, ABurstPassesAtOnceThenTheRate) {
  RateTable table(kStart);
  const Rate rate = per_second(10, 50);
  const std::uint64_t key = client_key("10.0.0.1", 1);
  EXPECT_EQ(granted(table, key, rate, kStart, 100), 51) << "the burst and the one in time";
  EXPECT_EQ(granted(table, key, rate, kStart + 1s, 100), 10);
  EXPECT_EQ(granted(table, key, rate, kStart + 1s + 50ms, 100), 0);
  EXPECT_EQ(granted(table, key, rate, kStart + 60s, 100), 51) << "it has run empty";
  EXPECT_EQ(granted(table, client_key("10.0.0.2", 1), rate, kStart + 60s, 100), 51);
}

TEST(RateTable, WithoutABurstOneAtATime) {
  RateTable table(kStart);
  const Rate rate = per_second(1, 0);
  EXPECT_TRUE(table.take(9, rate, kStart));
  EXPECT_FALSE(table.take(9, rate, kStart + 999ms));
  EXPECT_TRUE(table.take(9, rate, kStart + 1001ms));
}

TEST(RateTable, AMillionClientsUseTheSameMemoryAndTheWorstStaysLimited) {
  RateTable table(kStart);
  const std::size_t bytes = table.bytes();
  const Rate rate = {60'000'000 / 30, 5};  // 30 a minute
  const std::uint64_t abuser = client_key("192.0.2.66", 1);
  base::TimePoint now = kStart;
  int abused = granted(table, abuser, rate, now, 20);
  int refused = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const std::string ip = "10." + std::to_string(i >> 16 & 255) + "." +
                           std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
    refused += table.take(client_key(ip, 1), rate, now) ? 0 : 1;
    if (i % 1'000 == 0) abused += granted(table, abuser, rate, now, 3);
    if (i % 100 == 0) now += 1ms;  // ten seconds in all
  }
  EXPECT_EQ(table.bytes(), bytes);
  EXPECT_LE(bytes, 2U << 20);
  EXPECT_LE(abused, 6 + 5 + 1) << "the burst, and ten seconds' worth";
  EXPECT_LT(refused, 500) << "polite ones that share a word's sixteen bits";
}

TEST(RateTable, ThreadsTogetherGetNoMoreThanTheRate) {
  RateTable table(kStart);
  std::atomic<int> all{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] { all += granted(table, 5, per_second(10, 99), kStart, 5'000); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(all, 100);
  EXPECT_LE(all, 110) << "a call that loses sixteen times in a row passes";
}

TEST(CountTable, CountsWhatIsOpen) {
  CountTable table;
  using Entry = CountTable::Entry;
  EXPECT_EQ(table.enter(77, 2), Entry::kCounted);
  EXPECT_EQ(table.enter(77, 2), Entry::kCounted);
  EXPECT_EQ(table.enter(77, 2), Entry::kFull);
  EXPECT_EQ(table.enter(std::uint64_t{1} << 40 | 77, 2), Entry::kCounted) << "of the same set";
  EXPECT_EQ(table.count(77), 2U);
  table.leave(77);
  EXPECT_EQ(table.enter(77, 2), Entry::kCounted);
}

TEST(CountTable, ASetThatIsFullLetsOthersPassUncounted) {
  CountTable table(8);
  for (std::uint64_t key = 1; key <= 8; ++key) {
    EXPECT_EQ(table.enter(key << 30, 1), CountTable::Entry::kCounted);
  }
  EXPECT_EQ(table.enter(std::uint64_t{9} << 30, 1), CountTable::Entry::kUncounted);
  table.leave(std::uint64_t{3} << 30);
  EXPECT_EQ(table.enter(std::uint64_t{9} << 30, 1), CountTable::Entry::kCounted);
}

TEST(CountTable, ThreadsComeAndGoAndNothingIsLeft) {
  CountTable table(8);
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t key = static_cast<std::uint64_t>(i % 3 + t % 2) << 30;
        if (table.enter(key, 3) != CountTable::Entry::kCounted) continue;
        if (table.count(key) > 4) over = true;
        table.leave(key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(over);
  for (std::uint64_t key = 0; key < 5; ++key) EXPECT_EQ(table.count(key << 30), 0U);
}

}  // namespace
}  // namespace weir::shared
