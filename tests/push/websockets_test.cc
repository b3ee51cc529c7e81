// Thousands of open WebSockets and a thousand changes: no old configuration stays in memory, nobody
// is closed.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;

constexpr int kMost = 9'000;
constexpr rlim_t kFdsForOthers = 500;
constexpr int kChanges = 1'000;
constexpr char kByte = '!';

rlim_t raise_fd_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

// A process of its own (the fds are), ended with the object. It gets the far end of a socket pair.
class Child {
 public:
  template <typename Run>
  explicit Child(Run run) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    pid_ = fork();
    if (pid_ == 0) {
      raise_fd_limit();
      close(ends[0]);
      run(ends[1]);
      _exit(0);
    }
    close(ends[1]);
    fd_ = base::UniqueFd(ends[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  void tell(int number) {
    EXPECT_EQ(::write(fd_.get(), &number, sizeof number), static_cast<ssize_t>(sizeof number));
  }
  int hear() {
    int number = -1;
    return ::read(fd_.get(), &number, sizeof number) == sizeof number ? number : -1;
  }

 private:
  pid_t pid_ = -1;
  base::UniqueFd fd_;
};

// Says its port; accepts every upgrade, sends everything else back.
void run_backend(int parent) {
  const int door = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(door, any, size) != 0 || listen(door, 4'096) != 0) return;
  getsockname(door, any, &size);
  const int port = ntohs(address.sin_port);
  if (::write(parent, &port, sizeof port) < 0) return;
  const int epoll = epoll_create1(0);
  const auto watch = [epoll](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(door);
  constexpr std::string_view kAccepted =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  for (;;) {
    std::array<epoll_event, 256> events{};
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == door) {
        watch(accept(door, nullptr, nullptr));
        continue;
      }
      std::array<char, 4'096> buffer{};
      const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        close(fd);
        continue;
      }
      const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
      const std::string_view answer = text.starts_with("GET ") ? kAccepted : text;
      send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }
}

bool open_one(int fd, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  const timeval patience{20, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  constexpr std::string_view kAsk =
      "GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  send(fd, kAsk.data(), kAsk.size(), MSG_NOSIGNAL);
  std::array<char, 4'096> buffer{};
  const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
  return got > 0 &&
         std::string_view(buffer.data(), static_cast<std::size_t>(got)).starts_with("HTTP/1.1 101");
}

// Told a port and how many, opens them and says how many did; told anything more, sends a byte
// through each and says how many came back.
void run_clients(int parent) {
  int port = 0;
  int wanted = 0;
  if (::read(parent, &port, sizeof port) <= 0 || ::read(parent, &wanted, sizeof wanted) <= 0)
    return;
  std::vector<int> open;
  for (int i = 0; i < wanted; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (open_one(fd, static_cast<std::uint16_t>(port))) open.push_back(fd);
  }
  for (int told = 0;;) {
    const auto count = static_cast<int>(open.size());
    if (::write(parent, &count, sizeof count) < 0 || ::read(parent, &told, sizeof told) <= 0)
      return;
    std::erase_if(open, [](int fd) {
      char back = 0;
      return send(fd, &kByte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &back, 1, 0) != 1 || back != kByte;
    });
  }
}

int live_snapshots(const Stage& stage) {
  const std::string metrics =
      get({.port = stage.dataplane.admin_port()}, "/metrics", "localhost").body;
  const std::string name = "\nweir_live_snapshots ";
  const std::size_t at = metrics.find(name);
  return at == std::string::npos ? -1 : std::atoi(metrics.c_str() + at + name.size());
}

TEST(PushWebSockets, ThousandsPinNoOldConfigurationAndNoneIsClosed) {
  const int many =
      static_cast<int>(std::min<rlim_t>(kMost, (raise_fd_limit() - kFdsForOthers) / 2));
  Child backend(run_backend);
  Child clients(run_clients);
  const auto backend_port = static_cast<std::uint16_t>(backend.hear());
  Stage stage;
  stage.must_push({make_resource(make_endpoints("ws", {backend_port})),
                   make_resource(make_cluster("ws")),
                   make_resource(make_route("ws", "/ws", "ws"))});
  clients.tell(stage.port);
  clients.tell(many);
  ASSERT_EQ(clients.hear(), many) << stage.dataplane.log();
  for (int i = 0; i < kChanges; ++i) {
    // Also of the route and the cluster that the WebSockets came by.
    const std::string id = i % 10 == 0 ? "ws" : "other";
    model::Route route = make_route(id, "/" + id, id == "ws" ? "ws" : "aa");
    route.timeouts.read = std::chrono::milliseconds(60'000 + i);
    stage.must_push({make_resource(route)});
  }
  EXPECT_TRUE(eventually([&stage] { return live_snapshots(stage) <= 3; })) << live_snapshots(stage);
  EXPECT_GE(live_snapshots(stage), 1);
  clients.tell(0);
  EXPECT_EQ(clients.hear(), many) << "all are still open";
}

}  // namespace
}  // namespace weir::push
