// The whole request path over real sockets: HTTP/1 session, exchange, pool, TCP, a backend thread.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "dataplane/codec/h1.h"
#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace {

thread_local std::uint64_t allocations = 0;

}  // namespace

#ifndef __SANITIZE_ADDRESS__
#ifndef __SANITIZE_THREAD__
// Not inlined: g++ 12 would see malloc and free where it looks for new and delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif
#endif

namespace weir::exchange {
namespace {

using namespace std::chrono_literals;

// Answers every request on a connection with the same bytes; closes it after `most`.
class Backend {
 public:
  explicit Backend(int most) : most_(most), listen_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listen_.get(), any, size), 0);
    EXPECT_EQ(listen(listen_.get(), 16), 0);
    EXPECT_EQ(getsockname(listen_.get(), any, &size), 0);
    address_ = base::SocketAddress(any);
    thread_ = std::thread([this] { serve(); });
  }
  ~Backend() {
    shutdown(listen_.get(), SHUT_RDWR);
    if (const int talking = talking_; talking >= 0) shutdown(talking, SHUT_RDWR);
    thread_.join();
  }
  const base::SocketAddress& address() const { return address_; }
  std::atomic<int> connections{0}, requests{0};

 private:
  void serve() {
    for (;;) {
      const base::UniqueFd peer(accept(listen_.get(), nullptr, nullptr));
      if (!peer.valid()) return;
      ++connections;
      talking_ = peer.get();
      talk(peer.get());
      talking_ = -1;
    }
  }
  void talk(int fd) {
    constexpr std::string_view kAnswer =
        "HTTP/1.1 200 OK\r\nServer: backend\r\nContent-Type: text/plain\r\n"
        "Content-Length: 5\r\n\r\nhello";
    std::string got;
    char bytes[4096];
    for (int left = most_; left > 0;) {
      const ssize_t n = recv(fd, bytes, sizeof bytes, 0);
      if (n <= 0) return;
      got.append(bytes, static_cast<std::size_t>(n));
      for (std::size_t end; (end = got.find("\r\n\r\n")) != std::string::npos && left > 0; --left) {
        got.erase(0, end + 4);
        ++requests;
        if (send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) < 0) return;
      }
    }
  }
  int most_;
  std::atomic<int> talking_{-1};
  base::UniqueFd listen_;
  base::SocketAddress address_;
  std::thread thread_;
};

// The client's side of a server session, kept in one string.
class Wire final : public codec::ByteStream {
 public:
  Wire() { text.reserve(1 << 20); }
  void write(worker::Slice bytes) override { text += bytes.bytes(); }
  void pause_reading() override {}
  void resume_reading() override {}
  std::size_t queued() const override { return 0; }
  std::string text;
};

class LoopbackTest : public ::testing::Test, public codec::ServerTarget, public ExchangeOwner {
 protected:
  codec::MessageTarget& on_request(codec::MessageStream& stream) override {
    return start_exchange(context, facts, stream, *this);
  }
  void on_bad_request(codec::MessageStream& stream, int status, const base::Error& error,
                      const codec::Head* head) override {
    refuse_request(context, facts, stream, status, error, head);
  }
  void on_session_end() override { ended = true; }
  void on_exchange_done() override { ++done; }

  void serve(const base::SocketAddress& backend) {
    auto cluster = std::make_shared<upstream::Cluster>();
    cluster->settings.name = "shop";
    cluster->endpoints.push_back({backend.to_string(), backend, 1});
    model::Route route;
    route.table = "main";
    route.host = "shop.test";
    route.id = "/";
    auto plan = std::make_shared<RoutePlan>(std::move(route));
    plan->backends.push_back({});
    plan->backends[0].cluster = "shop";
    plan->backends[0].cluster_hash = base::hash_bytes("shop");
    plan->total_weight = 1;
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->clusters = snapshot->clusters.with("shop", std::move(cluster));
    snapshot->tables = snapshot->tables.with(
        "main", std::make_shared<routing::RouteTable>(
                    routing::RouteTable().with_route(std::move(plan)).value()));
    live.replace(std::move(snapshot));
    facts.address = "192.0.2.9";
    facts.listener = &listener;
  }
  // One request, one response.
  void ask(std::string_view request) {
    wire.text.clear();
    const int before = done;
    session->on_bytes(request);
    for (int i = 0; i < 2000 && done == before; ++i) worker.loop().run_once(5ms);
    ASSERT_EQ(done, before + 1);
  }

  static constexpr std::string_view kGet =
      "GET /a?b=c HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n";

  base::ProcessBudget process;
  worker::Offload offload{1, 4};
  worker::Worker worker{0, process, offload};
  codec::HeadPool heads;
  codec::Limits limits;
  LiveSnapshot live;
  std::unique_ptr<upstream::Upstreams> upstreams =
      upstream::make_upstreams(worker, {worker.buffers(), heads, limits});
  KeptRecords records;
  ExchangeContext context{worker, heads, live, *upstreams, records};
  const ListenerFacts listener{"http", "main", "", 80};
  ClientFacts facts;
  Wire wire;
  std::unique_ptr<codec::ServerSession> session =
      codec::make_h1_server({worker.buffers(), heads, limits}, wire, *this);
  int done = 0;
  bool ended = false;
};

TEST_F(LoopbackTest, ASteadyGetAllocatesNothing) {
  Backend backend(1'000'000);
  serve(backend.address());
  for (int i = 0; i < 200; ++i) ask(kGet);
  EXPECT_NE(wire.text.find("HTTP/1.1 200 OK\r\n"), std::string::npos);
  EXPECT_NE(wire.text.find("Server: weir\r\n"), std::string::npos);
  EXPECT_EQ(wire.text.find("backend"), std::string::npos);
  EXPECT_TRUE(wire.text.ends_with("\r\n\r\nhello"));
  const std::uint64_t before = allocations;
  for (int i = 0; i < 1000; ++i) ask(kGet);
  const std::uint64_t counted = allocations - before;
  RecordProperty("allocations_per_1000_requests", static_cast<int>(counted));
  // KeptRecords copies some texts for the tests: three of them may outgrow a short string.
  EXPECT_LE(counted, 8u) << "in 1,000 requests";
  EXPECT_EQ(backend.connections, 1);
  EXPECT_EQ(backend.requests, 1200);
}

TEST_F(LoopbackTest, ABackendThatClosesIdleConnectionsLosesNoRequest) {
  Backend backend(3);  // closes after every third answer, without saying so
  serve(backend.address());
  for (int i = 0; i < 300; ++i) {
    ask(kGet);
    ASSERT_TRUE(wire.text.starts_with("HTTP/1.1 200 OK\r\n")) << wire.text << " in request " << i;
  }
  EXPECT_EQ(backend.requests, 300);
  EXPECT_GE(backend.connections, 100);
}

TEST_F(LoopbackTest, NobodyListeningIsABadGateway) {
  base::SocketAddress gone;
  {
    Backend backend(1);
    gone = backend.address();
  }
  serve(gone);
  ask(kGet);
  EXPECT_TRUE(wire.text.starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << wire.text;
  EXPECT_EQ(records.last.attempts, 3u);
}

TEST_F(LoopbackTest, HeadAndPipelinedRequestsAreAnsweredInOrder) {
  Backend backend(1'000);
  serve(backend.address());
  const int before = done;
  session->on_bytes(
      "GET /1 HTTP/1.1\r\nHost: other.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: shop.test\r\n\r\n"
      "HEAD /3 HTTP/1.1\r\nHost: other.test\r\n\r\n");
  for (int i = 0; i < 2000 && done < before + 3; ++i) worker.loop().run_once(5ms);
  EXPECT_EQ(done, before + 3);
  const std::size_t first = wire.text.find("404"), second = wire.text.find("200 OK"),
                    third = wire.text.rfind("404 Not Found\r\n");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_TRUE(wire.text.ends_with("\r\n\r\n"));  // no body behind the head of the last
  EXPECT_FALSE(ended);
}

}  // namespace
}  // namespace weir::exchange
