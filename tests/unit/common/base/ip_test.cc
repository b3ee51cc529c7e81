#include "common/base/ip.h"

#include <gtest/gtest.h>
#include <sys/un.h>

namespace weir::base {
namespace {

SocketAddress at(std::string_view text, std::uint16_t port = 80) {
  auto got = SocketAddress::parse(text, port);
  EXPECT_TRUE(got.ok()) << text;
  return got.ok() ? got.value() : SocketAddress();
}

TEST(SocketAddress, LiteralsAreReadAndWrittenBack) {
  struct Case {
    std::string_view text, ip, whole;
    int family;
  };
  for (const Case& c : {Case{"10.0.0.1", "10.0.0.1", "10.0.0.1:80", AF_INET},
                        Case{"fd00:0:0::1", "fd00::1", "[fd00::1]:80", AF_INET6},
                        Case{"::", "::", "[::]:80", AF_INET6},
                        Case{"::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1:80", AF_INET6}}) {
    const SocketAddress address = at(c.text);
    EXPECT_EQ(address.ip(), c.ip);
    EXPECT_EQ(address.to_string(), c.whole);
    EXPECT_EQ(address.family(), c.family);
    EXPECT_EQ(address.port(), 80);
    EXPECT_EQ(SocketAddress(address.data()), address) << "as the kernel hands it back";
  }
}

TEST(SocketAddress, TextThatIsNoLiteralIsRefusedByValue) {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s, "localhost"s, "10.0.0"s, "10.0.0.256"s, "010.0.0.1"s, "0x7f.1"s, "10.0.0.1:80"s,
        "[::1]"s, "fe80::1%lo"s, " 10.0.0.1"s, "10.0.0.1\0"s, "10.0.0.1\0.evil.test"s, "::1\0"s}) {
    const auto got = SocketAddress::parse(text, 1);
    ASSERT_FALSE(got.ok()) << text;
    EXPECT_NE(got.error().text.find("is not an IPv4 or IPv6 address"), std::string::npos);
    EXPECT_FALSE(is_ip_literal(text));
  }
  EXPECT_TRUE(is_ip_literal("::1"));
}

TEST(SocketAddress, DangerousRangesAreKnownInEveryForm) {
  for (const auto text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(at(text).is_loopback()) << text;
  }
  for (const auto text : {"128.0.0.1", "::2", "10.0.0.1", "fd00::7f00:1"}) {
    EXPECT_FALSE(at(text).is_loopback()) << text;
  }
  for (const auto text : {"169.254.169.254", "fe80::1", "febf::1", "::ffff:169.254.0.1"}) {
    EXPECT_TRUE(at(text).is_link_local()) << text;
  }
  for (const auto text : {"169.253.0.1", "fec0::1", "10.0.0.1"}) {
    EXPECT_FALSE(at(text).is_link_local()) << text;
  }
  for (const auto text : {"0.0.0.0", "::", "::ffff:0.0.0.0"}) {
    EXPECT_TRUE(at(text).is_unspecified()) << text;
  }
  for (const auto text : {"0.0.0.1", "::1"}) EXPECT_FALSE(at(text).is_unspecified()) << text;
}

TEST(SocketAddress, MappedAndPlainAddressAreTheSameClient) {
  EXPECT_EQ(at("::ffff:10.0.0.1"), at("10.0.0.1"));
  EXPECT_EQ(at("::ffff:10.0.0.1").ip_bytes(), std::string_view("\x0a\0\0\x01", 4));
  EXPECT_EQ(at("fd00::1").ip_bytes().size(), 16U);
  EXPECT_FALSE(at("10.0.0.1", 80) == at("10.0.0.1", 81));
  EXPECT_FALSE(at("10.0.0.1") == at("10.0.0.2"));
}

TEST(SocketAddress, OtherFamiliesGiveAnEmptyAddress) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  const SocketAddress address(reinterpret_cast<const sockaddr*>(&local));
  EXPECT_EQ(address.family(), AF_UNSPEC);
  EXPECT_EQ(address.ip(), "");
  EXPECT_EQ(address, SocketAddress());
  EXPECT_FALSE(address.is_loopback() || address.is_link_local() || address.is_unspecified());
}

}  // namespace
}  // namespace weir::base
