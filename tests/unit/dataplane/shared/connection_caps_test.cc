#include "dataplane/shared/connection_caps.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weir::shared {
namespace {

using Entry = ConnectionCaps::Entry;

base::SocketAddress address(std::string_view ip, std::uint16_t port = 1) {
  return base::SocketAddress::parse(ip, port).value();
}

TEST(ConnectionCaps, TheTotalIsBoundedAndRefusedOnesAreNotCounted) {
  ConnectionCaps caps;
  EXPECT_EQ(caps.enter(address("10.0.0.1"), 2, 0), Entry::kCounted);
  EXPECT_EQ(caps.enter(address("10.0.0.2"), 2, 0), Entry::kCounted);
  EXPECT_EQ(caps.enter(address("10.0.0.3"), 2, 0), Entry::kFull);
  EXPECT_EQ(caps.total(), 2U);
  caps.leave(address("10.0.0.1"));
  EXPECT_EQ(caps.enter(address("10.0.0.3"), 2, 0), Entry::kCounted);
}

TEST(ConnectionCaps, AnAddressIsCountedWhateverItsPort) {
  ConnectionCaps caps;
  EXPECT_EQ(caps.enter(address("10.0.0.1", 1000), 0, 2), Entry::kCounted);
  EXPECT_EQ(caps.enter(address("10.0.0.1", 2000), 0, 2), Entry::kCounted);
  EXPECT_EQ(caps.enter(address("10.0.0.1", 3000), 0, 2), Entry::kAddressFull);
  EXPECT_EQ(caps.total(), 2U);
  caps.leave(address("10.0.0.1", 4000));
  EXPECT_EQ(caps.enter(address("10.0.0.1", 3000), 0, 2), Entry::kCounted);
}

TEST(ConnectionCaps, ASlash64OfIpv6IsOneClientAndAMappedAddressItsIpv4) {
  ConnectionCaps caps;
  EXPECT_EQ(caps.enter(address("2001:db8:1:2::1"), 0, 1), Entry::kCounted);
  EXPECT_EQ(caps.enter(address("2001:db8:1:2:ffff::9"), 0, 1), Entry::kAddressFull);
  EXPECT_EQ(caps.enter(address("10.9.8.7"), 0, 1), Entry::kCounted);
  EXPECT_EQ(caps.enter(address("::ffff:10.9.8.7"), 0, 1), Entry::kAddressFull);
}

TEST(ConnectionCaps, ZeroMeansNoCap) {
  ConnectionCaps caps;
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(caps.enter(address("10.0.0.1"), 0, 0), Entry::kCounted);
  EXPECT_EQ(caps.total(), 1000U);
}

TEST(ConnectionCaps, ThreadsTogetherNeverPassTheCap) {
  ConnectionCaps caps;
  std::atomic<std::uint32_t> inside{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (caps.enter(address("10.0.0.1"), 3, 0) != Entry::kCounted) continue;
        if (inside.fetch_add(1) + 1 > 3) over = true;
        inside.fetch_sub(1);
        caps.leave(address("10.0.0.1"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(over);
  EXPECT_EQ(caps.total(), 0U);
}

}  // namespace
}  // namespace weir::shared
