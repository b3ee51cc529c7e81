// Server and client of the peers channel on real sockets and real TLS: who is let in, and what is
// heard.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "common/base/log.h"
#include "common/crypto/issue.h"
#include "controller/peers/ack_client.h"
#include "controller/peers/ack_line.h"
#include "controller/peers/ack_server.h"

namespace weir::peers {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ContextPtr = std::shared_ptr<const TlsContext>;

std::int64_t now_seconds() {
  return std::chrono::duration_cast<seconds>(base::system_clock().wall_now().time_since_epoch())
      .count();
}

const crypto::PemPair& authority() {
  static const crypto::PemPair pair = crypto::make_authority("weir peers a", now_seconds(), 30);
  return pair;
}

const crypto::PemPair& another_authority() {
  static const crypto::PemPair pair = crypto::make_authority("weir peers b", now_seconds(), 30);
  return pair;
}

ContextPtr context(const crypto::PemPair& signer, const std::string& trusted,
                   const std::string& name = kPeerName, std::int64_t now = now_seconds()) {
  const auto own = crypto::issue_certificate(signer, name, now, hours(24));
  auto made = TlsContext::make(own.value(), trusted);
  EXPECT_TRUE(made.ok());
  return std::move(made).value();
}

ContextPtr good() { return context(authority(), authority().certificate); }

class Heard final : public AckClientTarget {
 public:
  void on_acks(const std::string&, Acks acks) override {
    ++lines;
    last = std::move(acks);
  }
  void on_silence(const std::string&) override { ++silences; }
  int lines = 0;
  int silences = 0;
  Acks last;
};

constexpr AckClient::Timings kFast{milliseconds(1'000), milliseconds(1'500), milliseconds(20),
                                   milliseconds(100)};

class PeersChannel : public testing::Test {
 protected:
  PeersChannel() {
    ::signal(SIGPIPE, SIG_IGN);
    base::log_start("test", base::LogLevel::kError);
  }

  // loopback address of the server; port 0: a free one.
  void serve(ContextPtr shown, AckServer::Limits limits = {}, std::uint16_t port = 0) {
    server_ = std::make_unique<AckServer>(loop_, limits);
    server_->set_context(std::move(shown));
    server_->set_line(to_line({{"Ingress", "10"}}));
    const auto listening = server_->listen(base::SocketAddress::parse("127.0.0.1", port).value());
    ASSERT_TRUE(listening.ok()) << listening.error().text;
    address_ = base::SocketAddress::parse("127.0.0.1", server_->port()).value();
  }
  std::unique_ptr<AckClient> client(ContextPtr shown, Heard& heard) {
    return std::make_unique<AckClient>(
        loop_, address_, "replica 127.0.0.1", [shown] { return shown; }, heard, kFast);
  }
  bool until(const std::function<bool()>& test, milliseconds most = seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!test()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop_.run_once(milliseconds(2));
    }
    return true;
  }
  void run_for(milliseconds time) {
    until([] { return false; }, time);
  }
  base::UniqueFd plain_connection() const {
    base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), address_.data(), address_.size()), 0);
    return fd;
  }
  // What a client that shows no certificate of ours gets, with TLS up to this version.
  std::string bytes_without_certificate(int version) {
    std::string got;
    std::atomic<bool> done{false};
    std::thread other([&] {
      const base::UniqueFd fd = plain_connection();
      const timeval patience{2, 0};
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      SSL_CTX* const tls = SSL_CTX_new(TLS_client_method());
      SSL_CTX_set_max_proto_version(tls, version);
      SSL* const ssl = SSL_new(tls);
      SSL_set_fd(ssl, fd.get());
      char buffer[256];
      if (SSL_connect(ssl) == 1) {
        const int size = SSL_read(ssl, buffer, sizeof buffer);
        if (size > 0) got.assign(buffer, static_cast<std::size_t>(size));
      }
      SSL_free(ssl);
      SSL_CTX_free(tls);
      done = true;
    });
    until([&done] { return done.load(); });
    other.join();
    return got;
  }

  loop::Loop loop_;
  std::unique_ptr<AckServer> server_;
  base::SocketAddress address_;
};

TEST_F(PeersChannel, ALineIsHeardAtOnceAndWheneverItChanges) {
  serve(good());
  Heard heard;
  const auto one = client(good(), heard);
  ASSERT_TRUE(until([&] { return heard.lines == 1; }));
  EXPECT_EQ(heard.last.at("Ingress"), "10");
  server_->set_line(to_line({{"Ingress", "11"}, {"Service", "7"}}));
  ASSERT_TRUE(until([&] { return heard.lines == 2; }));
  EXPECT_EQ(heard.last, (Acks{{"Ingress", "11"}, {"Service", "7"}}));
  server_->set_line(to_line({{"Ingress", "11"}, {"Service", "7"}}));
  run_for(milliseconds(300));
  EXPECT_EQ(heard.lines, 2) << "nothing new";
  EXPECT_EQ(heard.silences, 0);
}

TEST_F(PeersChannel, AQuietReplicaGivesASignOfLife) {
  serve(good(), {.sign_of_life = milliseconds(500)});
  Heard heard;
  const auto one = client(good(), heard);
  ASSERT_TRUE(until([&] { return heard.lines >= 4; }));
  EXPECT_EQ(heard.silences, 0) << "the client's limit of 1.5 s was never reached";
}

TEST_F(PeersChannel, OneWithoutAGoodCertificateIsToldNothing) {
  serve(good());
  const std::string trusted = authority().certificate;
  const struct {
    const char* what;
    ContextPtr shown;
  } cases[] = {
      {"another authority", context(another_authority(), trusted)},
      {"another name", context(authority(), trusted, "other.peers.weir.ingress")},
      {"expired", context(authority(), trusted, kPeerName, now_seconds() - 3 * 24 * 3'600)},
      {"not valid yet", context(authority(), trusted, kPeerName, now_seconds() + 3 * 24 * 3'600)},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.what);
    Heard heard;
    const auto refused = client(one.shown, heard);
    ASSERT_TRUE(until([&] { return heard.silences >= 2; }));
    EXPECT_EQ(heard.lines, 0);
  }
  EXPECT_EQ(bytes_without_certificate(TLS1_3_VERSION), "");
  EXPECT_EQ(bytes_without_certificate(TLS1_2_VERSION), "");
  Heard heard;
  const auto last = client(good(), heard);
  EXPECT_TRUE(until([&] { return heard.lines > 0; })) << "the others did it no harm";
}

TEST_F(PeersChannel, AServerWithoutAGoodCertificateIsNotBelieved) {
  const std::string trusted = authority().certificate;
  for (const ContextPtr& shown :
       {context(another_authority(), trusted),
        context(authority(), trusted, "other.peers.weir.ingress"),
        context(authority(), trusted, kPeerName, now_seconds() - 3 * 24 * 3'600)}) {
    serve(shown);
    Heard heard;
    const auto one = client(good(), heard);
    ASSERT_TRUE(until([&] { return heard.silences >= 2; }));
    EXPECT_EQ(heard.lines, 0);
  }
}

TEST_F(PeersChannel, PreviousAndNextAuthorityAreTrustedToo) {
  const std::string both = authority().certificate + another_authority().certificate;
  serve(context(another_authority(), both));
  Heard heard;
  const auto one = client(context(authority(), both), heard);
  EXPECT_TRUE(until([&] { return heard.lines > 0; }));
}

TEST_F(PeersChannel, AReplicaWithoutCertificateLetsNobodyInUntilItHasOne) {
  serve(nullptr);
  Heard heard;
  const auto one = client(good(), heard);
  ASSERT_TRUE(until([&] { return heard.silences >= 2; }));
  EXPECT_EQ(heard.lines, 0);
  server_->set_context(good());
  EXPECT_TRUE(until([&] { return heard.lines > 0; }));
}

TEST_F(PeersChannel, AReplicaThatGoesAndComesBackIsHeardAgain) {
  serve(good());
  Heard heard;
  const auto one = client(good(), heard);
  ASSERT_TRUE(until([&] { return heard.lines > 0; }));
  const std::uint16_t port = server_->port();
  server_.reset();
  ASSERT_TRUE(until([&] { return heard.silences > 0; }));
  run_for(milliseconds(300));
  serve(good(), {}, port);
  const int before = heard.lines;
  EXPECT_TRUE(until([&] { return heard.lines > before; }));
}

TEST_F(PeersChannel, AReplicaThatHangsIsGivenUpAndTriedAgain) {
  // Listens and says nothing: the kernel takes the connection.
  const base::UniqueFd mute(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto any = base::SocketAddress::parse("127.0.0.1", 0).value();
  ASSERT_EQ(::bind(mute.get(), any.data(), any.size()), 0);
  ASSERT_EQ(::listen(mute.get(), 8), 0);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(mute.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  address_ = base::SocketAddress(reinterpret_cast<const sockaddr*>(&bound));
  Heard heard;
  const auto one = client(good(), heard);
  EXPECT_TRUE(until([&] { return heard.silences >= 2; }));
  EXPECT_EQ(heard.lines, 0);
}

TEST_F(PeersChannel, NonsenseEndsTheConnection) {
  serve(good());
  for (const char* nonsense :
       {"GET / HTTP/1.1", "{}", R"({"applied":[]})", R"({"applied":{"Ingress":12}})"}) {
    SCOPED_TRACE(nonsense);
    server_->set_line(nonsense);
    Heard heard;
    const auto one = client(good(), heard);
    ASSERT_TRUE(until([&] { return heard.silences >= 2; }));
    EXPECT_EQ(heard.lines, 0);
  }
  server_->set_line(R"({"applied":{"Ingress":"12"},"later":[1]})");
  Heard heard;
  const auto one = client(good(), heard);
  EXPECT_TRUE(until([&] { return heard.lines > 0; })) << "what it does not know it passes over";
}

TEST_F(PeersChannel, ALineWithoutEndIsNotCollectedForEver) {
  serve(good());
  server_->set_line(std::string(TlsChannel::kMostLine + 64 * 1024, 'x'));
  Heard heard;
  const auto one = client(good(), heard);
  EXPECT_TRUE(until([&] { return heard.silences >= 1; }));
  EXPECT_EQ(heard.lines, 0);
}

TEST_F(PeersChannel, ConnectionsThatSayNothingEndAndTakeNoPlaceFromOthers) {
  serve(good(), {.connections = 4, .handshake = milliseconds(500)});
  std::vector<base::UniqueFd> idle;
  for (int i = 0; i < 12; ++i) idle.push_back(plain_connection());
  ASSERT_TRUE(until([&] { return server_->connections() == 4; }));
  Heard heard;
  const auto one = client(good(), heard);
  EXPECT_TRUE(until([&] { return heard.lines > 0; }, seconds(20)));
  EXPECT_LE(server_->connections(), 4u);
}

TEST_F(PeersChannel, AReaderThatDoesNotReadKeepsNobodyWaiting) {
  serve(good());
  // Opens the channel with a good certificate and then never looks at its socket again.
  class Deaf final : public ChannelTarget {
   public:
    void on_open() override { open = true; }
    void on_line(std::string_view) override {}
    void on_closed(const std::string&) override {}
    bool open = false;
  } deaf;
  loop::Loop other;
  base::UniqueFd fd = plain_connection();
  const int flags = ::fcntl(fd.get(), F_GETFL);
  ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
  TlsChannel channel(other, std::move(fd), good(), TlsChannel::End::kClient, deaf);
  ASSERT_TRUE(until([&] {
    if (!deaf.open) other.run_once(milliseconds(1));
    return deaf.open && server_->connections() == 1;
  }));
  Heard heard;
  const auto one = client(good(), heard);
  const std::string filler(200'000, 'x');
  for (int i = 0; i < 50; ++i) {
    server_->set_line(R"({"applied":{"Ingress":")" + std::to_string(100 + i) + R"("},"x":")" +
                      filler + R"("})");
    ASSERT_TRUE(until([&] { return heard.last["Ingress"] == std::to_string(100 + i); })) << i;
  }
  EXPECT_EQ(server_->connections(), 2u);
}

}  // namespace
}  // namespace weir::peers
