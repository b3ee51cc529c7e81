#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <string>
#include <thread>

#include "common/crypto/certificate.h"
#include "dataplane/listener/acceptor.h"
#include "dataplane/listener/warm_sessions.h"

namespace weir::listener {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Counts final : public observe::Recorder {
 public:
  void record(const observe::ExchangeRecord& record) override { last_status = record.status; }
  void connection_opened(bool) override { ++opened; }
  void connection_closed() override { ++closed; }
  void connection_state(ConnectionState from, ConnectionState to) override {
    --state[static_cast<std::size_t>(from)];
    ++state[static_cast<std::size_t>(to)];
  }
  void set_access_log(bool) override {}

  int opened = 0;
  int closed = 0;
  int last_status = 0;
  std::array<int, 3> state{};
};

// Real sockets, codec and exchanges; no route exists, so every answer is our own 404.
class ListenerTest : public testing::Test {
 protected:
  ListenerTest() {
    snapshot_.version = 1;
    add_listener("http", model::ListenerProtocol::kHttp);
    publish();
  }
  ~ListenerTest() override {
    acceptors_.reset();
    worker_.loop().run_once(milliseconds(0));
  }

  void add_listener(const std::string& name, model::ListenerProtocol protocol) {
    auto listener = std::make_shared<model::Listener>();
    listener->name = name;
    listener->protocol = protocol;
    listener->route_table = "main";
    listener->default_certificates = {"default"};
    snapshot_.listeners = snapshot_.listeners.with(name, std::move(listener));
  }
  void publish() {
    ++snapshot_.version;
    live_.replace(std::make_shared<exchange::Snapshot>(snapshot_));
  }
  void listen(const std::string& name = "http") {
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto any = base::SocketAddress::parse("127.0.0.1", 0).value();
    ASSERT_EQ(bind(fd.get(), any.data(), any.size()), 0);
    ASSERT_EQ(::listen(fd.get(), 128), 0);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    address_ = base::SocketAddress(reinterpret_cast<sockaddr*>(&bound));
    acceptors_->add(name, "bind", std::move(fd));
  }
  base::UniqueFd dial() {
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(fd.get(), address_.data(), address_.size()), 0);
    fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    return fd;
  }
  void say(const base::UniqueFd& fd, std::string_view bytes) {
    EXPECT_EQ(send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Runs the loop and reads until the text holds `mark`, or the stream ends ("<end>").
  std::string hear(const base::UniqueFd& fd, std::string_view mark,
                   milliseconds most = seconds(5)) {
    std::string out;
    const auto end = std::chrono::steady_clock::now() + most;
    while (out.find(mark) == std::string::npos && std::chrono::steady_clock::now() < end) {
      worker_.loop().run_once(milliseconds(5));
      std::array<char, 4096> buffer;
      const ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
      if (got > 0) out.append(buffer.data(), static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EAGAIN)) return out + "<end>";
    }
    return out;
  }
  void spin(int iterations) {
    for (int i = 0; i < iterations; ++i) worker_.loop().run_once(milliseconds(1));
  }

  static constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

  base::ProcessBudget process_;
  worker::Offload offload_{1, 4};
  worker::Worker worker_{0, process_, offload_};
  codec::HeadPool heads_;
  exchange::Snapshot snapshot_;
  exchange::LiveSnapshot live_;
  Counts counts_;
  std::unique_ptr<upstream::Upstreams> upstreams_ = upstream::make_upstreams(
      worker_, codec::SessionContext{worker_.buffers(), heads_, live_->limits});
  exchange::ExchangeContext context_{worker_, heads_, live_, *upstreams_, counts_};
  shared::ConnectionCaps caps_;
  std::unique_ptr<Acceptors> acceptors_ = make_acceptors(context_, caps_);
  base::SocketAddress address_;
};

TEST_F(ListenerTest, AConnectionServesSeveralRequestsAndIsCounted) {
  listen();
  const base::UniqueFd client = dial();
  for (int i = 0; i < 3; ++i) {
    say(client, kGet);
    EXPECT_TRUE(hear(client, "404").starts_with("HTTP/1.1 404"));
    spin(2);
  }
  EXPECT_EQ(acceptors_->connections(), 1U);
  EXPECT_EQ(caps_.total(), 1U);
  EXPECT_EQ(counts_.opened, 1);
  shutdown(client.get(), SHUT_WR);
  EXPECT_NE(hear(client, "<never>").find("<end>"), std::string::npos);
  spin(3);
  EXPECT_EQ(acceptors_->connections(), 0U);
  EXPECT_EQ(caps_.total(), 0U);
  EXPECT_EQ(counts_.closed, 1);
  EXPECT_EQ(counts_.state, (std::array<int, 3>{0, 0, 0}));
  EXPECT_EQ(worker_.buffers().chunks_taken(), 0U);
}

TEST_F(ListenerTest, TheLastRequestOfAConnectionIsAnsweredWithClose) {
  snapshot_.settings.keep_alive_requests = 2;
  publish();
  listen();
  const base::UniqueFd client = dial();
  say(client, kGet);
  EXPECT_EQ(hear(client, "\r\n\r\n").find("Connection: close"), std::string::npos);
  spin(2);
  say(client, kGet);
  const std::string last = hear(client, "<never>");
  EXPECT_NE(last.find("Connection: close"), std::string::npos) << last;
  EXPECT_TRUE(last.ends_with("<end>"));
}

TEST_F(ListenerTest, CapsCloseAtAccept) {
  snapshot_.settings.connections_per_address = 1;
  publish();
  listen();
  const base::UniqueFd first = dial();
  say(first, kGet);
  EXPECT_NE(hear(first, "404"), "");
  const base::UniqueFd second = dial();
  EXPECT_EQ(hear(second, "<never>"), "<end>");
  EXPECT_EQ(acceptors_->refused(), 1U);
  EXPECT_EQ(acceptors_->connections(), 1U);
}

TEST_F(ListenerTest, SlowHeadsAndIdleConnectionsEndAtTheirDeadlines) {
  snapshot_.settings.client_header_timeout = milliseconds(150);
  snapshot_.settings.keep_alive_timeout = milliseconds(60);
  publish();
  listen();
  const base::UniqueFd silent = dial();
  const base::UniqueFd slow = dial();
  const base::UniqueFd idle = dial();
  say(slow, "GET / HT");
  say(idle, kGet);
  EXPECT_NE(hear(idle, "404"), "");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(hear(idle, "<never>").ends_with("<end>"));
  for (int i = 0; i < 3; ++i) {
    spin(15);
    send(slow.get(), "T", 1, MSG_NOSIGNAL);  // further bytes do not buy time
  }
  EXPECT_TRUE(hear(slow, "<never>", seconds(2)).ends_with("<end>"));
  EXPECT_TRUE(hear(silent, "<never>", seconds(2)).ends_with("<end>"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(2));
  EXPECT_EQ(acceptors_->connections(), 0U);
}

TEST_F(ListenerTest, ADrainAnswersEveryConnectionOnceMoreWithClose) {
  listen();
  const base::UniqueFd used = dial();
  say(used, kGet);
  EXPECT_NE(hear(used, "404"), "");
  const base::UniqueFd idle = dial();
  say(idle, kGet);
  EXPECT_NE(hear(idle, "404"), "");
  spin(3);
  acceptors_->start_drain();
  spin(3);
  EXPECT_EQ(acceptors_->connections(), 2U) << "a client may be sending right now";
  say(used, kGet);
  const std::string last = hear(used, "<never>");
  EXPECT_NE(last.find("Connection: close"), std::string::npos);
  const base::UniqueFd late = dial();
  say(late, kGet);
  EXPECT_NE(hear(late, "<never>").find("Connection: close"), std::string::npos)
      << "accepting goes on";
  acceptors_->stop_accepting();
  EXPECT_TRUE(hear(idle, "<never>").ends_with("<end>"));
  spin(3);
  EXPECT_EQ(acceptors_->connections(), 0U);
}

TEST_F(ListenerTest, ARemovedListenerServesItsBacklogFirst) {
  listen();
  std::vector<base::UniqueFd> waiting;
  for (int i = 0; i < 40; ++i) {
    waiting.push_back(dial());
    say(waiting.back(), kGet);
  }
  acceptors_->remove("http", "bind");
  for (const base::UniqueFd& client : waiting) {
    const std::string answer = hear(client, "<never>");
    EXPECT_NE(answer.find("HTTP/1.1 404"), std::string::npos);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  }
  const base::UniqueFd late(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(connect(late.get(), address_.data(), address_.size()), 0);
}

TEST_F(ListenerTest, ARequestThatCannotBeReadGetsItsStatusAndAClose) {
  listen();
  const base::UniqueFd client = dial();
  say(client, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  const std::string answer = hear(client, "<never>");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << answer;
  EXPECT_TRUE(answer.ends_with("<end>"));
}

TEST_F(ListenerTest, PlainHttpOnATlsPortIsToldSo) {
  add_listener("https", model::ListenerProtocol::kHttps);
  publish();
  listen("https");
  const base::UniqueFd client = dial();
  say(client, kGet);
  const std::string answer = hear(client, "<never>");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
  const std::size_t body = answer.find("\r\n\r\n") + 4;
  EXPECT_EQ(answer.substr(body), "400 plain HTTP request sent to HTTPS port\n<end>");
  EXPECT_NE(answer.find("Content-Length: 42\r\n"), std::string::npos);
  spin(2);
  EXPECT_EQ(acceptors_->connections(), 0U);
}

// Transport, connection and codec session together; mallinfo2 counts nothing under a sanitizer.
TEST_F(ListenerTest, AnIdleConnectionIsSmall) {
  constexpr std::size_t kMany = 400;
  listen();
  std::vector<base::UniqueFd> clients;
  clients.reserve(2 * kMany);
  const auto open_idle = [&] {
    for (std::size_t i = 0; i < kMany; ++i) {
      clients.push_back(dial());
      say(clients.back(), kGet);
      ASSERT_NE(hear(clients.back(), "404"), "");
    }
    spin(3);
  };
  open_idle();  // pools and tables reach their size
  const std::size_t before = mallinfo2().uordblks;
  open_idle();
  const std::size_t each = (mallinfo2().uordblks - before) / kMany;
  EXPECT_EQ(acceptors_->connections(), 2 * kMany);
  EXPECT_EQ(worker_.buffers().chunks_taken(), 0U);
  RecordProperty("bytes_each", static_cast<int>(each));
  EXPECT_LE(each, 614U);  // 0.6 KiB
}

// More idle connections than a worker keeps sessions for: those that parked go on as if nothing
// were.
TEST_F(ListenerTest, ParkedConnectionsServeOnTimeOutAndDrain) {
  constexpr std::size_t kMany = WarmSessions::kRoom + 50;
  snapshot_.settings.keep_alive_timeout = seconds(60);
  publish();
  listen();
  std::vector<base::UniqueFd> clients;
  for (std::size_t i = 0; i < kMany; ++i) {
    clients.push_back(dial());
    say(clients.back(), kGet);
    ASSERT_NE(hear(clients.back(), "404"), "");
  }
  spin(3);
  say(clients[0], "GET / HT");  // in two parts, then two at once
  spin(2);
  say(clients[0], "TP/1.1\r\nHost: a.test\r\n\r\n");
  EXPECT_TRUE(hear(clients[0], "404").starts_with("HTTP/1.1 404"));
  say(clients[1], std::string(kGet) + std::string(kGet));
  const std::string two = hear(clients[1], "404 page") + hear(clients[1], "404 page", seconds(1));
  EXPECT_NE(two.find("HTTP/1.1 404", 10), std::string::npos) << two;
  shutdown(clients[2].get(), SHUT_WR);
  EXPECT_TRUE(hear(clients[2], "<never>").ends_with("<end>"));
  EXPECT_EQ(acceptors_->connections(), kMany - 1);
  clients[3].reset();
  spin(3);
  EXPECT_EQ(acceptors_->connections(), kMany - 2);
  acceptors_->stop_accepting();
  say(clients[4], kGet);  // still within the grace of an answer a moment ago, or closed by then
  EXPECT_TRUE(hear(clients[4], "<never>").ends_with("<end>"));
  EXPECT_TRUE(hear(clients[5], "<never>").ends_with("<end>"));
}

TEST_F(ListenerTest, WithoutDescriptorsTheLoopDoesNotSpinAndComesBack) {
  listen();
  const base::UniqueFd idle = dial();
  say(idle, kGet);
  EXPECT_NE(hear(idle, "404"), "");
  std::vector<base::UniqueFd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(dial());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  tight.rlim_cur = 3;  // no new descriptor
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  worker_.loop().run_once(milliseconds(0));
  const auto iterations = worker_.loop().figures().iterations.load();
  const auto end = std::chrono::steady_clock::now() + milliseconds(60);
  while (std::chrono::steady_clock::now() < end) worker_.loop().run_once(milliseconds(20));
  EXPECT_LT(worker_.loop().figures().iterations.load() - iterations, 12U);
  EXPECT_TRUE(hear(idle, "<never>").ends_with("<end>")) << "idle ones make room";
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  const base::UniqueFd late = dial();
  say(late, kGet);
  EXPECT_NE(hear(late, "404", seconds(1)), "");
}

}  // namespace
}  // namespace weir::listener
