#include "common/routing/host_name.h"

#include <gtest/gtest.h>

#include "common/routing/route_table.h"

namespace weir::routing {
namespace {

TEST(NormalHost, DropsCasePortAndTrailingDotAndRefusesTheRest) {
  struct Case {
    std::string_view host, want;
  };
  for (const Case& c : {Case{"Shop.Example.TEST", "shop.example.test"},
                        Case{"a.test:8080", "a.test"},
                        Case{"a.test.:443", "a.test"},
                        Case{"a.test:", "a.test"},
                        Case{"a_b.test", "a_b.test"},
                        Case{"localhost", "localhost"},
                        Case{"10.0.0.1:80", "10.0.0.1"},
                        Case{"[FD00::1]:80", "[fd00::1]"},
                        Case{"[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]"},
                        Case{"", ""},
                        Case{":80", ""},
                        Case{".", ""},
                        Case{"a..test", ""},
                        Case{".a.test", ""},
                        Case{"a.test..", ""},
                        Case{"a.test:80:90", ""},
                        Case{"a.test:65536", ""},
                        Case{"a.test:+80", ""},
                        Case{"user@a.test", ""},
                        Case{"a.test/x", ""},
                        Case{"a.test\\x", ""},
                        Case{"a test", ""},
                        Case{"a\xc3\xa9.test", ""},
                        Case{"*", ""},
                        Case{"*.a.test", ""},
                        Case{"[::1", ""},
                        Case{"[::1]x", ""},
                        Case{"[fe80::1%25eth0]", ""},
                        Case{"[]", ""},
                        Case{"[10.0.0.1].", ""},
                        Case{std::string_view("a\0.test", 7), ""}}) {
    EXPECT_EQ(normal_host(c.host), c.want) << c.host;
  }
}

TEST(NormalHost, TakesNamesUpToItsLimitAndNoLongerOnes) {
  const std::string longest(HostName::kMostBytes, 'a');
  EXPECT_EQ(normal_host(longest), longest);
  EXPECT_EQ(normal_host(longest + ".:443"), longest);
  EXPECT_EQ(normal_host(longest + "a"), "");
}

}  // namespace
}  // namespace weir::routing
