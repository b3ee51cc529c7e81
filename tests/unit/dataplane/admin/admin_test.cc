#include "dataplane/admin/admin.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "common/base/ip.h"

namespace weir::admin {
namespace {

class Numbers final : public base::MetricSource {
 public:
  void collect(std::vector<base::Family>& out) const override {
    out.push_back({"weir_test", "A number.", base::MetricType::kGauge, {{{}, 7}}, {}});
  }
};

struct Rig {
  Rig() {
    auto tcp = listen_tcp("127.0.0.1", 0);
    auto dump = listen_unix(path);
    EXPECT_TRUE(tcp.ok());
    EXPECT_TRUE(dump.ok()) << dump.error().text;
    sockaddr_in own{};
    socklen_t size = sizeof own;
    ::getsockname(tcp.value().get(), reinterpret_cast<sockaddr*>(&own), &size);
    port = ntohs(own.sin_port);
    admin = std::make_unique<Admin>(Admin::Parts{std::move(tcp).value(),
                                                 std::move(dump).value(),
                                                 [this] { return ready.load(); },
                                                 [] { return std::string(300'000, 'd'); },
                                                 {&numbers},
                                                 offload,
                                                 9});
  }
  ~Rig() {
    admin.reset();
    ::unlink(path.c_str());
  }
  base::UniqueFd dial() const {
    const auto to = base::SocketAddress::parse("127.0.0.1", port);
    base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), to.value().data(), to.value().size()), 0);
    return fd;
  }
  std::string path = ::testing::TempDir() + "weir_dump_" + std::to_string(::getpid());
  std::uint16_t port = 0;
  std::atomic<bool> ready{false};
  Numbers numbers;
  worker::Offload offload{1, 1};
  std::unique_ptr<Admin> admin;
};

void put(const base::UniqueFd& fd, std::string_view text) {
  ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

// Everything until the peer closes, at most 5 s.
std::string read_all(const base::UniqueFd& fd) {
  std::string out;
  char buffer[16'384];
  pollfd waiting{fd.get(), POLLIN, 0};
  while (::poll(&waiting, 1, 5'000) > 0) {
    const ssize_t got = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (got <= 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
  }
  ADD_FAILURE() << "no close within 5 s; got " << out.size() << " bytes";
  return out;
}

std::string get(const base::UniqueFd& fd, const std::string& path) {
  put(fd, "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  return read_all(fd);
}

TEST(Admin, AnswersHealthReadinessAndMetrics) {
  Rig rig;
  struct Case {
    const char* path;
    const char* start;
    const char* holds;
  };
  for (const Case& c :
       {Case{"/healthz", "HTTP/1.1 200", "ok"}, Case{"/readyz", "HTTP/1.1 503", "not"},
        Case{"/metrics", "HTTP/1.1 200", "weir_test 7"},
        Case{"/metrics?a=b", "HTTP/1.1 200", "weir_test 7"},
        Case{"/dump", "HTTP/1.1 404", "not found"}}) {
    SCOPED_TRACE(c.path);
    const std::string answer = get(rig.dial(), c.path);
    EXPECT_EQ(answer.rfind(c.start, 0), 0U) << answer;
    EXPECT_NE(answer.find(c.holds), std::string::npos) << answer;
  }
  rig.ready = true;
  EXPECT_EQ(get(rig.dial(), "/readyz").rfind("HTTP/1.1 200", 0), 0U);
}

TEST(Admin, RefusesOtherMethodsAndMalformedRequests) {
  Rig rig;
  const auto post = rig.dial();
  put(post, "POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(read_all(post).rfind("HTTP/1.1 405", 0), 0U);
  const auto broken = rig.dial();
  put(broken, "GET /healthz HTTP/1.1\nHost: x\n\n");
  EXPECT_EQ(read_all(broken).rfind("HTTP/1.1 400", 0), 0U);
}

TEST(Admin, KeepsConnectionsAndAnswersHeadWithoutABody) {
  Rig rig;
  const auto fd = rig.dial();
  put(fd, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  char first[1'024];
  const ssize_t got = ::recv(fd.get(), first, sizeof first, 0);
  ASSERT_GT(got, 0);
  const std::string head(first, static_cast<std::size_t>(got));
  EXPECT_EQ(head.rfind("HTTP/1.1 200", 0), 0U);
  EXPECT_EQ(head.substr(head.size() - 4), "\r\n\r\n");
  EXPECT_EQ(get(fd, "/healthz").rfind("HTTP/1.1 200", 0), 0U);
}

TEST(Admin, IsNotBlockedByManyHalfSentRequests) {
  Rig rig;
  std::vector<base::UniqueFd> slow;
  for (int i = 0; i < 300; ++i) {
    slow.push_back(rig.dial());
    put(slow.back(), "GET /healthz HT");
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(get(rig.dial(), "/healthz").rfind("HTTP/1.1 200", 0), 0U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(Admin, ClosesARequestThatTricklesAtItsDeadline) {
  Rig rig;
  const auto fd = rig.dial();
  const auto start = std::chrono::steady_clock::now();
  put(fd, "GET /healthz HTTP/1.1\r\n");
  bool closed = false;
  while (!closed && std::chrono::steady_clock::now() - start < std::chrono::seconds(8)) {
    pollfd waiting{fd.get(), POLLIN, 0};
    closed = ::poll(&waiting, 1, 200) > 0;
    if (!closed) ::send(fd.get(), "A: b\r\n", 6, MSG_NOSIGNAL);
  }
  EXPECT_TRUE(closed);
  EXPECT_GT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

TEST(Admin, DumpsOnAUnixSocketOfOneUser) {
  Rig rig;
  struct stat facts{};
  ASSERT_EQ(::stat(rig.path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, rig.path.data(), rig.path.size());
  base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  const std::string answer = get(fd, "/dump");
  EXPECT_EQ(answer.rfind("HTTP/1.1 200", 0), 0U);
  EXPECT_EQ(answer.substr(answer.size() - 300'000), std::string(300'000, 'd'));
  EXPECT_FALSE(listen_unix(rig.path).ok());
}

}  // namespace
}  // namespace weir::admin
