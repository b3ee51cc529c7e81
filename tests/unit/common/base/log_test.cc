#include "common/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "common/base/fd.h"

namespace weir::base {
namespace {

TEST(LogLevel, IsReadByName) {
  LogLevel level = LogLevel::kDebug;
  EXPECT_TRUE(parse_log_level("warn", level));
  EXPECT_EQ(level, LogLevel::kWarn);
  EXPECT_FALSE(parse_log_level("loud", level));
  EXPECT_EQ(level, LogLevel::kInfo);
}

TEST(Log, LinesAreJsonWithFactsAndRespectTheLevel) {
  testing::internal::CaptureStderr();
  log_start("test", LogLevel::kInfo);
  log_debug("hidden");
  log_warn("refused \"x\"", {{"secret", "a\nb"}, {"count", 3}, {"bytes", std::string("\xff")}});
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.find("hidden"), std::string::npos);
  EXPECT_NE(line.find("\"level\":\"warn\",\"component\":\"test\",\"message\":\"refused \\\"x\\\"\","
                      "\"secret\":\"a\\u000ab\",\"count\":3,\"bytes\":\"\xef\xbf\xbd\"}\n"),
            std::string::npos)
      << line;
}

// Standard error is a pipe for a while.
class LogTest : public ::testing::Test {
 protected:
  LogTest() : before_(::dup(STDERR_FILENO)) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_ = UniqueFd(ends[0]);
    ::fcntl(read_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(read_.get(), F_SETPIPE_SZ, 4'096);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~LogTest() override { ::dup2(before_.get(), STDERR_FILENO); }

  std::string take() {
    std::string out;
    std::array<char, 4'096> some{};
    for (ssize_t got = 0; (got = ::read(read_.get(), some.data(), some.size())) > 0;) {
      out.append(some.data(), static_cast<std::size_t>(got));
    }
    return out;
  }

  UniqueFd before_, read_;
};

TEST_F(LogTest, WhoLogsIsNotHeldByWhoDoesNotRead) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1'000; ++i) log_warn("nobody reads this", {{"n", i}});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  const std::string kept = take();
  EXPECT_NE(kept.find("\"n\":0}"), std::string::npos);
  EXPECT_EQ(kept.find("\"n\":999}"), std::string::npos);
  log_warn("somebody does");
  const std::string later = take();
  EXPECT_NE(later.find("left out"), std::string::npos) << later;
  EXPECT_NE(later.find("somebody does"), std::string::npos) << later;
  const auto lines = static_cast<int>(std::count(kept.begin(), kept.end(), '\n'));
  EXPECT_NE(later.find("\"lines\":" + std::to_string(1'000 - lines) + "}"), std::string::npos)
      << later << " of which " << lines << " were kept";
}

}  // namespace
}  // namespace weir::base
