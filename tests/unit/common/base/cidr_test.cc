#include "common/base/cidr.h"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

SocketAddress parse_address(std::string_view text) { return SocketAddress::parse(text, 7).value(); }

TEST(Cidr, ContainsTheAddressesOfItsPrefixAndNoOthers) {
  struct Case {
    const char* range;
    const char* address;
    bool inside;
  };
  for (const Case& one : {Case{"10.0.0.0/8", "10.255.3.4", true},
                          {"10.0.0.0/8", "11.0.0.0", false},
                          {"10.1.2.3", "10.1.2.3", true},
                          {"10.1.2.3", "10.1.2.2", false},
                          {"10.1.2.128/25", "10.1.2.128", true},
                          {"10.1.2.128/25", "10.1.2.127", false},
                          {"10.1.2.9/25", "10.1.2.127", true},
                          {"0.0.0.0/0", "203.0.113.9", true},
                          {"0.0.0.0/0", "2001:db8::1", false},
                          {"::/0", "203.0.113.9", true},
                          {"2001:db8::/33", "2001:db8:7fff::1", true},
                          {"2001:db8::/33", "2001:db8:8000::1", false},
                          {"::1", "::1", true},
                          {"10.0.0.0/8", "::ffff:10.1.1.1", true},
                          {"::ffff:10.0.0.0/104", "10.9.9.9", true}}) {
    const auto range = Cidr::parse(one.range);
    ASSERT_TRUE(range.ok()) << one.range;
    EXPECT_EQ(range.value().contains(parse_address(one.address)), one.inside)
        << one.range << " " << one.address;
  }
}

TEST(Cidr, RefusesWhatIsNoRange) {
  for (const char* text : {"", "/8", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/",
                           "10.0.0.0/-1", "10.0.0.0/8/8", "host", "10.0.0.0 /8", "10.0.0.0/0x8"}) {
    EXPECT_FALSE(Cidr::parse(text).ok()) << text;
  }
}

TEST(CidrSet, TakesAnAddressOfAnyRangeAndNamesABadOne) {
  const auto set = CidrSet::parse({"10.0.0.0/8", "fd00::/8"});
  ASSERT_TRUE(set.ok());
  EXPECT_TRUE(set.value().contains(parse_address("10.0.0.1")));
  EXPECT_TRUE(set.value().contains(parse_address("fd00::9")));
  EXPECT_FALSE(set.value().contains(parse_address("192.0.2.1")));
  EXPECT_FALSE(set.value().contains(SocketAddress()));
  EXPECT_TRUE(CidrSet().empty());
  const auto bad = CidrSet::parse({"10.0.0.0/8", "no"});
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().text.find("'no'"), std::string::npos);
}

}  // namespace
}  // namespace weir::base
