#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "common/routing/route_table.h"
#include "tests/unit/common/routing/routes.h"

namespace {
std::size_t allocations = 0;
}

// g++ 12 takes the replaced pair apart after inlining and reports malloc against delete.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

// Counts every allocation of this program.
// Not inlined: g++ 12 would see malloc and free where it looks for new and delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace weir::routing {
namespace {

TEST(Find, OfACleanPathAllocatesNothing) {
  RouteTable table = add_host(RouteTable(), "*.shop.test", true);
  table = add(table, make_route("*.shop.test", "wild", "/"));
  table = add(table, make_route("a.shop.test", "exact", "/x/y", model::PathKind::kExact));
  for (int i = 0; i < 40; ++i) {
    model::Route route =
        make_route("a.shop.test", "r" + std::to_string(i), "/p" + std::to_string(i));
    route.match.headers = {{"x-v", model::ValueKind::kExact, "1"}};
    route.match.query = {{"q", model::ValueKind::kExact, "a b"}};
    table = add(table, route);
  }
  const Headers fields{{"x-v", "1"}};
  struct Case {
    std::string_view host, target;
    bool found;
  };
  for (const Case& c :
       {Case{"A.shop.test:8443", "/p7/a/b?x=1&q=a+b", true}, Case{"a.shop.test", "/x/y", true},
        Case{"a.shop.test", "/none", false},
        Case{"very.deep.name.of.a.host.shop.test", "/a/long/path/of/segments", true},
        Case{"other.test", "/", false}}) {
    const std::size_t before = allocations;
    const Decision decision = table.find({c.host, c.target, "GET", &fields});
    EXPECT_EQ(allocations - before, 0U) << c.host << c.target;
    EXPECT_EQ(decision.target != nullptr, c.found) << c.host << c.target;
  }
}

}  // namespace
}  // namespace weir::routing
