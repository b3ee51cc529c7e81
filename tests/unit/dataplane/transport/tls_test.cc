#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <ctime>
#include <map>
#include <thread>

#include "common/base/text.h"
#include "common/crypto/certificate.h"
#include "loopback.h"
#include "tls_client.h"

namespace weir::transport {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Entry = std::shared_ptr<const CertificateEntry>;

Entry entry_of(const crypto::PemPair& pem, const std::string& name) {
  crypto::KeyPair pair = crypto::parse_key_pair(pem.certificate, pem.key).value();
  auto entry = std::make_shared<CertificateEntry>();
  entry->facts.name = name;
  entry->facts.fingerprint = pair.fingerprint;
  entry->facts.key_type = pair.key_type;
  entry->chain = std::move(pair.chain);
  entry->key = std::move(pair.key);
  return entry;
}
Entry ec_certificate(const std::string& host) {
  return entry_of(crypto::make_self_signed({host}, std::time(nullptr), 30), host);
}
Entry rsa_certificate() {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  X509* x509 = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 77);
  X509_gmtime_adj(X509_getm_notBefore(x509), -60);
  X509_gmtime_adj(X509_getm_notAfter(x509), 86'400);
  X509_set_pubkey(x509, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("rsa.test"), -1, -1, 0);
  X509_set_issuer_name(x509, X509_get_subject_name(x509));
  X509_sign(x509, key, EVP_sha256());
  const auto pem = [](auto write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
  };
  crypto::PemPair pair;
  pair.certificate = pem([&](BIO* bio) { PEM_write_bio_X509(bio, x509); });
  pair.key = pem([&](BIO* bio) {
    PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  X509_free(x509);
  EVP_PKEY_free(key);
  return entry_of(pair, "rsa.test");
}

class FixedChooser final : public CertificateChooser {
 public:
  void choose(std::string_view server_name, std::vector<Entry>& out) const override {
    asked.emplace_back(server_name);
    const auto found = by_name.find(std::string(server_name));
    out = found == by_name.end() ? fallback : found->second;
  }
  const TicketKeySet& tickets() const override { return keys; }

  mutable std::vector<std::string> asked;
  std::map<std::string, std::vector<Entry>> by_name;
  std::vector<Entry> fallback;
  TicketKeySet keys;
};

class TlsTest : public LoopbackTest {
 protected:
  TlsTest() {
    chooser_.fallback = {ec_certificate("fallback.test")};
    chooser_.keys.keys = {crypto::random_bytes(80)};
  }

  template <typename Work>
  auto beside_loop(Work work) {
    decltype(work()) result;
    bool over = false;
    std::thread thread([&] {
      result = work();
      worker_.loop().post([&] { over = true; });
    });
    const bool done = run_until([&] { return over; }, seconds(20));
    thread.join();
    EXPECT_TRUE(done);
    return result;
  }

  // Serves one connection that echoes, and runs the client against it in a thread of its own.
  TlsGot serve(const TlsAsk& ask) { return serve_with(*server_, ask); }
  TlsGot serve_with(TlsServer& server, const TlsAsk& ask) {
    events_ = std::make_unique<Events>();
    const base::UniqueFd client = dial();
    transport_ = server.accept(accept_one(), name_of(client.get()), chooser_, deadline_);
    transport_->set_target(*events_);
    events_->at_bytes = [this](std::string_view bytes) {
      transport_->write(worker::Slice::borrowed(bytes));
    };
    return beside_loop([&] { return run_tls_client(client.get(), ask); });
  }
  FixedChooser chooser_;
  base::Duration deadline_ = seconds(5);
  std::unique_ptr<TlsServer> server_ =
      std::make_unique<TlsServer>(worker_, "HTTP/1.1 400 x\r\n\r\n");
  std::unique_ptr<Events> events_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(TlsTest, BothVersionsCarryBytesBothWaysWithOurPreferences) {
  struct Case {
    int version;
    std::string_view name, cipher;
  };
  for (const Case& c : {Case{TLS1_2_VERSION, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"},
                        Case{TLS1_3_VERSION, "TLSv1.3", "TLS_AES_128_GCM_SHA256"}}) {
    SCOPED_TRACE(c.name);
    TlsAsk ask;
    ask.version = c.version;
    ask.name = "Shop.Test";
    ask.alpn = std::string("\x02h2\x08http/1.1");
    const TlsGot got = serve(ask);
    ASSERT_TRUE(got.ok) << got.error;
    EXPECT_EQ(got.answer, "ping");
    EXPECT_EQ(got.version, c.name);
    EXPECT_EQ(got.cipher, c.cipher);
    EXPECT_EQ(got.alpn, "http/1.1");
    if (c.version == TLS1_3_VERSION) {
      EXPECT_EQ(got.group, "X25519");
    }
    ASSERT_NE(transport_->tls(), nullptr);
    EXPECT_EQ(transport_->tls()->protocol, c.name);
    EXPECT_EQ(transport_->tls()->cipher, c.cipher);
    EXPECT_EQ(transport_->tls()->server_name, "shop.test");
    EXPECT_EQ(transport_->tls()->alpn, "http/1.1");
    EXPECT_FALSE(transport_->tls()->resumed);
    EXPECT_EQ(events_->opened, 1);
    ASSERT_TRUE(run_until([&] { return events_->read_closed == 1; })) << "close_notify";
    EXPECT_TRUE(events_->closed.empty());
  }
}

TEST_F(TlsTest, TheServerNameChoosesTheCertificateAndContextsAreMadeOnce) {
  chooser_.by_name["a.test"] = {ec_certificate("a.test")};
  chooser_.by_name["b.test"] = {ec_certificate("b.test")};
  std::map<std::string, std::string> seen;
  for (const char* name : {"a.test", "b.test", "c.test", "a.test", "b.test"}) {
    TlsAsk ask;
    ask.name = name;
    const TlsGot got = serve(ask);
    ASSERT_TRUE(got.ok) << got.error;
    const auto [at, fresh] = seen.emplace(name, got.subject_alt);
    EXPECT_EQ(at->second, got.subject_alt);
  }
  EXPECT_NE(seen["a.test"], seen["b.test"]);
  EXPECT_NE(seen["a.test"], seen["c.test"]);
  EXPECT_EQ(server_->contexts(), 3U);
  TlsAsk nameless;
  EXPECT_EQ(serve(nameless).subject_alt, seen["c.test"]);
  EXPECT_EQ(chooser_.asked.back(), "");
}

TEST_F(TlsTest, AContextGoesWithItsCertificate) {
  TlsAsk lasting, renewed;
  lasting.name = "a.test";
  renewed.name = "b.test";
  chooser_.by_name["a.test"] = {ec_certificate("a.test")};
  const std::string served = serve(lasting).subject_alt;
  for (int i = 0; i < 20; ++i) {
    chooser_.by_name["b.test"] = {ec_certificate("b.test")};
    ASSERT_TRUE(serve(renewed).ok);
  }
  EXPECT_EQ(server_->contexts(), 2U);
  EXPECT_EQ(serve(lasting).subject_alt, served);
  // The same bytes, pushed anew: nothing is made for them, and they keep it when others go.
  for (Entry* entry : {&chooser_.by_name["a.test"][0], &chooser_.by_name["b.test"][0]}) {
    *entry = std::make_shared<CertificateEntry>(**entry);
  }
  EXPECT_EQ(serve(lasting).subject_alt, served);
  EXPECT_EQ(server_->contexts(), 2U);
  chooser_.by_name["b.test"] = {ec_certificate("b.test")};
  ASSERT_TRUE(serve(renewed).ok);
  EXPECT_EQ(server_->contexts(), 2U);
}

TEST_F(TlsTest, TrimmingDropsContextsThatServedNobodySince) {
  TlsAsk a;
  a.name = "a.test";
  chooser_.by_name["a.test"] = {ec_certificate("a.test")};
  ASSERT_TRUE(serve(a).ok);
  ASSERT_TRUE(serve(TlsAsk()).ok);
  server_->trim();
  EXPECT_EQ(server_->contexts(), 2U);
  ASSERT_TRUE(serve(a).ok);
  server_->trim();
  EXPECT_EQ(server_->contexts(), 1U);
  EXPECT_TRUE(serve(a).ok);
  EXPECT_TRUE(serve(TlsAsk()).ok);
}

TEST_F(TlsTest, ASetOfTwoKeyTypesServesBothKindsOfClients) {
  chooser_.fallback = {ec_certificate("both.test"), rsa_certificate()};
  TlsAsk rsa_only;
  rsa_only.version = TLS1_2_VERSION;
  rsa_only.signatures = "RSA-PSS+SHA256:RSA+SHA256";
  EXPECT_EQ(serve(rsa_only).subject_alt, "4D");  // 77
  const TlsGot modern = serve(TlsAsk());
  EXPECT_TRUE(modern.ok);
  EXPECT_NE(modern.subject_alt, "4D");
}

TEST_F(TlsTest, ABrokenCertificateIsPassedOverAndCounted) {
  auto broken = std::make_shared<CertificateEntry>(*chooser_.fallback[0]);
  broken->facts.fingerprint = "broken";
  broken->chain = {"not DER"};
  auto mismatched = std::make_shared<CertificateEntry>(*ec_certificate("x.test"));
  mismatched->key = ec_certificate("y.test")->key;
  chooser_.fallback = {broken, ec_certificate("good.test"), mismatched};
  EXPECT_TRUE(serve(TlsAsk()).ok);
  EXPECT_EQ(server_->broken_certificates(), 2U);
  chooser_.fallback = {broken};
  EXPECT_FALSE(serve(TlsAsk()).ok);
  ASSERT_TRUE(run_until([&] { return !events_->closed.empty(); }));
  EXPECT_NE(events_->closed[0].text.find("no certificate for ''"), std::string::npos);
  EXPECT_FALSE(serve(TlsAsk()).ok);
  EXPECT_EQ(server_->broken_certificates(), 3U) << "remembered, not parsed at each handshake";
}

TEST_F(TlsTest, ARenewedCertificateServesTheNextHandshakeAndLeavesOpenSessionsAlone) {
  const base::UniqueFd first = dial();
  Events first_events;
  auto first_transport = server_->accept(accept_one(), name_of(first.get()), chooser_, deadline_);
  first_transport->set_target(first_events);
  first_events.at_bytes = [&](std::string_view bytes) {
    first_transport->write(worker::Slice::borrowed(bytes));
  };
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, first.get());
  const auto ping = [&] {
    char buffer[8];
    return SSL_write(ssl, "one", 3) == 3 && SSL_read(ssl, buffer, sizeof buffer) == 3;
  };
  EXPECT_TRUE(beside_loop([&] { return SSL_connect(ssl) == 1 && ping(); }));
  const TlsGot before = serve(TlsAsk());
  chooser_.fallback = {ec_certificate("renewed.test")};
  const TlsGot after = serve(TlsAsk());
  EXPECT_NE(before.subject_alt, after.subject_alt);
  EXPECT_TRUE(beside_loop(ping));
  EXPECT_TRUE(first_events.closed.empty());
  SSL_free(ssl);
  SSL_CTX_free(context);
}

TEST_F(TlsTest, ATicketResumesOnAnotherWorkerWithTheSameKeysAndCertificates) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    TlsServer other(worker_);  // what another worker or replica would own
    TlsAsk ask;
    ask.version = version;
    const TlsGot first = serve(ask);
    ASSERT_TRUE(first.ok);
    EXPECT_FALSE(first.resumed);
    ask.session = first.session.get();
    EXPECT_TRUE(serve_with(other, ask).resumed);
    EXPECT_TRUE(transport_->tls()->resumed);

    // An older key still opens tickets and the client gets a new one.
    chooser_.keys.keys.insert(chooser_.keys.keys.begin(), crypto::random_bytes(80));
    const TlsGot renewed = serve_with(other, ask);
    EXPECT_TRUE(renewed.resumed);
    chooser_.keys.keys.pop_back();
    EXPECT_FALSE(serve_with(other, ask).resumed) << "the key is gone";
    transport_.reset();
  }
}

TEST_F(TlsTest, ATicketOfOneHostsCertificateDoesNotResumeOnAnothers) {
  chooser_.by_name["a.test"] = {ec_certificate("a.test")};
  chooser_.by_name["b.test"] = {ec_certificate("b.test")};
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    TlsAsk ask;
    ask.version = version;
    ask.name = "a.test";
    const TlsGot first = serve(ask);
    ask.session = first.session.get();
    ask.name = "b.test";
    const TlsGot other = serve(ask);
    EXPECT_TRUE(other.ok);
    EXPECT_FALSE(other.resumed);
  }
}

TEST_F(TlsTest, WithoutTicketKeysNothingIsResumed) {
  chooser_.keys.keys.clear();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsAsk ask;
    ask.version = version;
    const TlsGot first = serve(ask);
    ASSERT_TRUE(first.ok);
    ask.session = first.session.get();
    const TlsGot second = serve(ask);
    EXPECT_TRUE(second.ok);
    EXPECT_FALSE(second.resumed);
  }
}

TEST_F(TlsTest, OldVersionsAndUnknownProtocolsAreRefusedWithAReason) {
  TlsAsk old;
  old.version = TLS1_1_VERSION;
  EXPECT_FALSE(serve(old).ok);
  TlsAsk spdy;
  spdy.alpn = "\x04spdy";
  const TlsGot got = serve(spdy);
  EXPECT_FALSE(got.ok);
  EXPECT_NE(got.error.find("no application protocol"), std::string::npos) << got.error;
  ASSERT_TRUE(run_until([&] { return !events_->closed.empty(); }));
  EXPECT_EQ(events_->closed[0].kind, base::ErrorKind::kProtocol);
  EXPECT_NE(events_->closed[0].text.find("no application protocol"), std::string::npos)
      << events_->closed[0].text;
}

TEST_F(TlsTest, PlainHttpGetsThePageAndAClose) {
  events_ = std::make_unique<Events>();
  const base::UniqueFd client = dial();
  transport_ = server_->accept(accept_one(), name_of(client.get()), chooser_, deadline_);
  transport_->set_target(*events_);
  const std::string answer = beside_loop([&] {
    send(client.get(), "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
    std::string out(100, '\0');
    const ssize_t got = recv(client.get(), out.data(), out.size(), MSG_WAITALL);
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  });
  EXPECT_EQ(answer, "HTTP/1.1 400 x\r\n\r\n");
  ASSERT_EQ(events_->closed.size(), 1U);
  EXPECT_NE(events_->closed[0].text.find("plain HTTP request sent to TLS port"), std::string::npos);
}

TEST_F(TlsTest, ASilentHandshakeEndsAtItsDeadline) {
  deadline_ = milliseconds(100);
  events_ = std::make_unique<Events>();
  const base::UniqueFd client = dial();
  transport_ = server_->accept(accept_one(), name_of(client.get()), chooser_, deadline_);
  transport_->set_target(*events_);
  ASSERT_TRUE(run_until([&] { return !events_->closed.empty(); }));
  EXPECT_EQ(events_->closed[0].kind, base::ErrorKind::kTimeout);
  EXPECT_NE(events_->closed[0].text.find("not done after 100 ms"), std::string::npos);
}

TEST_F(TlsTest, AnEndWithoutCloseNotifyIsATruncation) {
  TlsAsk ask;
  ask.close_notify = false;
  ASSERT_TRUE(serve(ask).ok);
  ASSERT_TRUE(run_until([&] { return !events_->closed.empty(); }));
  EXPECT_EQ(events_->read_closed, 0);
  EXPECT_EQ(events_->closed[0].kind, base::ErrorKind::kClosed);
  EXPECT_NE(events_->closed[0].text.find("without close_notify"), std::string::npos);
}

TEST_F(TlsTest, LargeBodiesPassBothWaysAndOurCloseIsClean) {
  TlsAsk ask;
  ask.send = std::string(300'000, 'u');
  ask.expect = 0;
  ask.wait_for_end = true;
  const std::string big(6 * 1024 * 1024, 'd');
  events_ = std::make_unique<Events>();
  const base::UniqueFd client = dial();
  transport_ = server_->accept(accept_one(), name_of(client.get()), chooser_, deadline_);
  transport_->set_target(*events_);
  events_->at_bytes = [&](std::string_view) {
    if (events_->received.size() < ask.send.size()) return;
    transport_->write(worker_.buffers().copy("head"));
    transport_->write(worker_.buffers().copy(big));
    transport_->close_when_flushed(Farewell::kLinger);
    transport_.reset();
  };
  const TlsGot got = beside_loop([&] { return run_tls_client(client.get(), ask); });
  EXPECT_EQ(events_->received.size(), ask.send.size());
  EXPECT_EQ(got.answer.size(), big.size() + 4);
  EXPECT_EQ(got.answer.substr(0, 6), "headdd");
  EXPECT_TRUE(got.clean_end) << "close_notify";
  spin(5);
  EXPECT_EQ(worker_.buffers().chunks_taken(), 0U);
}

TEST_F(TlsTest, BackPressureIsToldWhenTheQueueDrains) {
  TlsAsk ask;
  ask.expect = 4 + 2 * 1024 * 1024;
  events_ = std::make_unique<Events>();
  const base::UniqueFd client = dial();
  transport_ = server_->accept(accept_one(), name_of(client.get()), chooser_, deadline_);
  transport_->set_target(*events_);
  bool queue_grew = false;
  events_->at_bytes = [&](std::string_view bytes) {
    transport_->write(worker::Slice::borrowed(bytes));
    transport_->write(worker_.buffers().copy(std::string(2 * 1024 * 1024, 'b')));
    queue_grew = transport_->queued() > 256U * 1024;
  };
  const TlsGot got = beside_loop([&] { return run_tls_client(client.get(), ask); });
  EXPECT_TRUE(queue_grew);
  EXPECT_EQ(got.answer.size(), ask.expect);
  EXPECT_EQ(events_->drained, 1);
  EXPECT_EQ(transport_->queued(), 0U);
}

TEST_F(TlsTest, AnIdleSessionNeedsLittleMoreThanTheLibrary) {
  constexpr std::size_t kMany = 60;
  std::vector<base::UniqueFd> clients;
  std::vector<std::unique_ptr<Transport>> transports;
  std::vector<std::unique_ptr<Events>> targets;
  const auto open_idle = [&] {
    for (std::size_t i = 0; i < kMany; ++i) {
      clients.push_back(dial());
      targets.push_back(std::make_unique<Events>());
      transports.push_back(server_->accept(accept_one(), address_, chooser_, seconds(5)));
      Transport& transport = *transports.back();
      transport.set_target(*targets.back());
      targets.back()->at_bytes = [&transport](std::string_view bytes) {
        transport.write(worker::Slice::borrowed(bytes));
      };
      TlsAsk ask;
      ask.close_notify = false;
      EXPECT_TRUE(beside_loop([&] { return run_tls_client(clients.back().get(), ask); }).ok);
    }
  };
  open_idle();
  const std::size_t before = mallinfo2().uordblks;
  open_idle();
  const std::size_t each = (mallinfo2().uordblks - before) / kMany;
  RecordProperty("bytes_each", static_cast<int>(each));
  EXPECT_LE(each, 16U * 1024);
}

TEST_F(TlsTest, AClientThatSendsNoWholeHelloCostsNoSession) {
  constexpr std::size_t kMany = 60;
  std::vector<base::UniqueFd> clients;
  std::vector<std::unique_ptr<Transport>> transports;
  std::vector<std::unique_ptr<Events>> targets;
  const auto open_silent = [&] {
    for (std::size_t i = 0; i < kMany; ++i) {
      clients.push_back(dial());
      targets.push_back(std::make_unique<Events>());
      transports.push_back(server_->accept(accept_one(), address_, chooser_, seconds(5)));
      transports.back()->set_target(*targets.back());
      ASSERT_EQ(send(clients.back().get(), "\x16\x03\x01\x02", 4, 0), 4);
    }
    spin(3);
  };
  open_silent();
  const std::size_t before = mallinfo2().uordblks;
  open_silent();
  EXPECT_LE((mallinfo2().uordblks - before) / kMany, 1'500U);
}

TEST_F(TlsTest, ACrowdOfHandshakesIsServedAFewAnIteration) {
  constexpr std::size_t kCrowd = 20;
  std::vector<base::UniqueFd> clients;
  std::vector<std::unique_ptr<Transport>> transports;
  std::vector<std::unique_ptr<Events>> targets;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  for (std::size_t i = 0; i < kCrowd; ++i) {
    clients.push_back(dial());
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, clients.back().get());
    const timeval at_once{0, 1};
    setsockopt(clients.back().get(), SOL_SOCKET, SO_RCVTIMEO, &at_once, sizeof at_once);
    SSL_connect(ssl);  // sends its hello and gives up waiting
    SSL_free(ssl);
    targets.push_back(std::make_unique<Events>());
    transports.push_back(
        server_->accept(accept_one(), name_of(clients.back().get()), chooser_, seconds(5)));
    transports.back()->set_target(*targets.back());
  }
  const auto served = [&] {
    std::size_t out = 0;
    for (const auto& transport : transports) out += transport->bytes_written() > 0 ? 1 : 0;
    return out;
  };
  spin(1);
  EXPECT_EQ(served(), 5U);
  spin(3);
  EXPECT_EQ(served(), kCrowd);
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace weir::transport
