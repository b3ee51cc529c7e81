#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "common/routing/route_table.h"
#include "tests/unit/common/routing/routes.h"
#include "tests/unit/cost.h"

namespace weir::routing {
namespace {

using Clock = tests::CpuClock;

constexpr std::size_t kManyHosts = tests::kSanitized ? 10'000 : 100'000;
constexpr std::size_t kManyRoutes = tests::kSanitized ? 500 : 5'000;

std::string host_name(std::size_t i) { return "shop-" + std::to_string(i) + ".example.test"; }

RouteTable table_of(std::size_t hosts) {
  RouteTable table = add(RouteTable(), make_route("*.example.test", "wild", "/"));
  for (std::size_t i = 0; i < hosts; ++i) {
    table = add(table, make_route(host_name(i), "root", "/"));
    table = add(table, make_route(host_name(i), "api", "/api"));
  }
  return table;
}

// Best of several rounds: what other work on the machine does to the caches is not ours.
template <typename Once>
double best_ns(std::size_t calls, Once&& once) {
  double best = 1e12;
  for (int round = 0; round < 7; ++round) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < calls; ++i) once(i);
    const double ns = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    best = std::min(best, ns / static_cast<double>(calls));
  }
  return best;
}

double lookup_ns(const RouteTable& table, const std::vector<std::string>& hosts) {
  std::size_t found = 0;
  const double ns = best_ns(20'000, [&](std::size_t i) {
    const Decision got = table.find({hosts[i % hosts.size()], "/api/v1/users?x=1", "GET", nullptr});
    found += got.target != nullptr ? 1 : 0;
  });
  EXPECT_EQ(found, 7U * 20'000U);
  return ns;
}

TEST(Speed, HundredThousandHostsCostALookupLikeTen) {
  const RouteTable small = table_of(10);
  const auto start = Clock::now();
  const RouteTable large = table_of(kManyHosts);
  const double built = std::chrono::duration<double>(Clock::now() - start).count();
  std::vector<std::string> ten;
  std::vector<std::string> spread;
  for (std::size_t i = 0; i < 10; ++i) ten.push_back(host_name(i));
  for (std::size_t i = 0; i < 20'000; ++i) spread.push_back(host_name(i * 7919 % kManyHosts));
  const double few = lookup_ns(small, ten);
  const double many = lookup_ns(large, ten);
  const double cold = lookup_ns(large, spread);
  std::printf(
      "10 hosts %.0f ns; the same of %zu %.0f ns (ratio %.2f); 20,000 spread %.0f ns; "
      "%zu routes added in %.2f s\n",
      few, kManyHosts, many, many / few, cold, large.route_count(), built);
  tests::expect_cost_below(many, 3 * few);
}

TEST(Speed, FiveThousandRoutesOnOneHostCostALookupItsDepthAndAChangeItsBucket) {
  RouteTable table = add(RouteTable(), make_route("a.test", "root", "/"));
  RouteTable few = table;
  for (std::size_t i = 0; i < kManyRoutes; ++i) {
    const std::string at = std::to_string(i);
    table = add(table, make_route("a.test", "r" + at, "/team-" + at + "/svc"));
    if (i < 10) few = add(few, make_route("a.test", "r" + at, "/team-" + at + "/svc"));
  }
  const auto lookup = [](const RouteTable& of) {
    return best_ns(20'000, [&](std::size_t i) {
      const Decision got = of.find({"a.test", i % 2 == 0 ? "/team-7/svc/a/b/c" : "/x/y/z", "GET"});
      ASSERT_NE(got.target, nullptr);
    });
  };
  const auto change = [](const RouteTable& of) {
    return best_ns(200, [&](std::size_t) {
      const RouteTable next = add(of, make_route("a.test", "r3", "/team-3/svc"));
      ASSERT_EQ(next.route_count(), of.route_count());
    });
  };
  const double look_few = lookup(few);
  const double look_many = lookup(table);
  const double change_few = change(few);
  const double change_many = change(table);
  std::printf("lookup: 11 routes %.0f ns, %zu routes %.0f ns; change: %.0f ns, %.0f ns\n", look_few,
              table.route_count(), look_many, change_few, change_many);
  tests::expect_cost_below(look_many, 3 * look_few);
  tests::expect_cost_below(change_many, 10 * change_few);
}

TEST(Speed, ALongSegmentedPathCostsNoMoreThanTheDeepestRoute) {
  const RouteTable table = add(RouteTable(), make_route("a.test", "root", "/a"));
  std::string path = "/a";
  while (path.size() < 30'000) path += "/x";
  const double ns = best_ns(
      200, [&](std::size_t) { ASSERT_NE(table.find({"a.test", path, "GET"}).target, nullptr); });
  std::printf("30 kB path: %.0f ns\n", ns);
  tests::expect_cost_below(ns, 2e6);
}

TEST(Speed, WorstOddPathStaysBounded) {
  const RouteTable table = add(RouteTable(), make_route("a.test", "root", "/"));
  std::string path = "/a;b%2f%5c%2561/..";
  while (path.size() < 870) path += "/%20";
  const double ns = best_ns(3, [&](std::size_t) { table.find({"a.test", path, "GET"}); });
  std::printf("odd path of 0.9 kB: %.0f ns\n", ns);
  tests::expect_cost_below(ns, 2e7);
}

}  // namespace
}  // namespace weir::routing
