#include "controller/admin/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "common/base/fd.h"

namespace weir::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Target final : public AdminTarget {
 public:
  std::string readiness() const override { return is_ready ? "ready\n" : ""; }
  std::string metrics() const override { return "weir_up 1\n"; }
  std::string reports() const override { return "[]\n"; }
  std::atomic<bool> is_ready{false};
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

// A port that listens until the object dies.
struct Taken {
  Taken() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(fd.get(), 1);
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  base::UniqueFd fd;
  std::uint16_t port = 0;
};

std::string get(std::uint16_t port, const std::string& path, const std::string& method = "GET") {
  const base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return "refused";
  const std::string request =
      method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  std::string out;
  char chunk[4'096];
  for (ssize_t size; (size = ::recv(fd.get(), chunk, sizeof chunk, 0)) > 0;)
    out.append(chunk, static_cast<std::size_t>(size));
  return out;
}

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest() {
    port_ = Taken().port;
    EXPECT_TRUE(server_.start("127.0.0.1", port_).ok());
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~AdminServerTest() override { end_loop(); }
  void end_loop() {
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
  }

  loop::Loop loop_;
  Target target_;
  AdminServer server_{loop_, target_};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(AdminServerTest, HealthReadinessMetricsAndReportsAreAnswered) {
  EXPECT_THAT(get(port_, "/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get(port_, "/readyz"), StartsWith("HTTP/1.1 503"));
  target_.is_ready = true;
  EXPECT_THAT(get(port_, "/readyz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get(port_, "/metrics"), HasSubstr("weir_up 1"));
  EXPECT_THAT(get(port_, "/metrics"), HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(get(port_, "/reports"), HasSubstr("application/json"));
  EXPECT_THAT(get(port_, "/other"), StartsWith("HTTP/1.1 404"));
}

TEST_F(AdminServerTest, ALoopThatStandsStillIsNotHealthy) {
  end_loop();
  EXPECT_THAT(get(port_, "/healthz"), StartsWith("HTTP/1.1 503"));
}

TEST(AdminServer, ATakenPortIsNamed) {
  const Taken taken;
  loop::Loop loop;
  const Target target;
  AdminServer server(loop, target);
  const auto started = server.start("127.0.0.1", taken.port);
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().text, HasSubstr("127.0.0.1:" + std::to_string(taken.port)));
}

}  // namespace
}  // namespace weir::admin
