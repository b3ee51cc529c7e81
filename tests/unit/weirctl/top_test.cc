#include "weirctl/top.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weirctl/metrics_text.h"

namespace weir::weirctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string labels(const std::string& host, const std::string& more) {
  return "{host=\"" + host + "\",path=\"/\",namespace=\"shop\",ingress=\"web\",service=\"a\"," +
         more + "} ";
}
std::string metrics(const std::string& host, int good, int bad, int slow) {
  const std::string requests = "nginx_ingress_controller_requests";
  const std::string bucket = "nginx_ingress_controller_request_duration_seconds_bucket";
  return "# HELP x y\n" + requests + labels(host, "status=\"200\"") + std::to_string(good) + "\n" +
         requests + labels(host, "status=\"503\"") + std::to_string(bad) + "\n" + bucket +
         labels(host, "status=\"200\",le=\"0.1\"") + std::to_string(good + bad - slow) + "\n" +
         bucket + labels(host, "status=\"200\",le=\"0.2\"") + std::to_string(good + bad) + "\n" +
         bucket + labels(host, "status=\"200\",le=\"+Inf\"") + std::to_string(good + bad) + "\n";
}

TEST(Metrics, AreReadWithEscapesAndOddNumbers) {
  const auto line = read_metric_line(R"(a_b{x="q\"\\\n}",y=""} +Inf)");
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line.value().name, "a_b");
  EXPECT_EQ(line.value().labels.at("x"), "q\"\\\n}");
  EXPECT_EQ(line.value().labels.at("y"), "");
  EXPECT_EQ(read_metric_line("a 1e3 1700000000").value().value, 1000);
  for (const char* bad : {"a", "{x=\"1\"} 1", "a{x=\"1\" 1", "a{x} 1", "a b", "<html>"}) {
    EXPECT_FALSE(read_metric_line(bad).ok()) << bad;
  }
  EXPECT_THAT(read_top("a 1\n\nhello").error().text, HasSubstr("metrics, line 3: 'hello'"));
}

TEST(Top, ShowsWhatHappenedInBetween) {
  const auto before = read_top(metrics("a.test", 100, 10, 0) + metrics("b.test", 5, 0, 0)).value();
  const auto after =
      read_top(metrics("a.test", 140, 10, 0) + metrics("b.test", 95, 10, 50)).value();
  const auto rows = top_rows(before, after, 2, TopSort::kRequests);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].host, "b.test");
  EXPECT_DOUBLE_EQ(rows[0].rate, 50);
  EXPECT_DOUBLE_EQ(rows[0].server_errors, 5);
  EXPECT_DOUBLE_EQ(rows[0].p50, 0.1);
  EXPECT_DOUBLE_EQ(rows[0].p95, 0.19);
  EXPECT_DOUBLE_EQ(rows[1].rate, 20);
  EXPECT_DOUBLE_EQ(rows[1].p50, 0.05);
  EXPECT_EQ(top_rows(before, after, 2, TopSort::kErrors)[0].host, "b.test");
  EXPECT_EQ(top_json(rows, 1).items().size(), 1U);
}

TEST(Top, ADataplaneThatBeganAnewCountsFromZero) {
  const auto before = read_top(metrics("a.test", 1000, 0, 0)).value();
  const auto after = read_top(metrics("a.test", 8, 0, 0)).value();
  EXPECT_DOUBLE_EQ(top_rows(before, after, 2, TopSort::kRequests)[0].rate, 4);
  EXPECT_DOUBLE_EQ(top_rows({}, after, 2, TopSort::kRequests)[0].rate, 4);
}

TEST(Top, NamesCannotPaintTheTerminal) {
  const auto reading = read_top(metrics("\x1b[2J.test", 1, 0, 0)).value();
  const std::string text = top_text(top_rows({}, reading, 1, TopSort::kRequests), 0);
  EXPECT_THAT(text, HasSubstr("?[2J.test/"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace weir::weirctl
