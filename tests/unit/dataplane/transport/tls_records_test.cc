// How large the records are that a client gets.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <ctime>
#include <numeric>
#include <thread>

#include "common/crypto/certificate.h"
#include "loopback.h"

namespace weir::transport {
namespace {

class OneCertificate final : public CertificateChooser {
 public:
  OneCertificate() {
    const auto pem = crypto::make_self_signed({"a.test"}, std::time(nullptr), 30);
    crypto::KeyPair pair = crypto::parse_key_pair(pem.certificate, pem.key).value();
    auto entry = std::make_shared<CertificateEntry>();
    entry->facts.fingerprint = pair.fingerprint;
    entry->facts.key_type = pair.key_type;
    entry->chain = std::move(pair.chain);
    entry->key = std::move(pair.key);
    entry_ = std::move(entry);
  }
  void choose(std::string_view,
              std::vector<std::shared_ptr<const CertificateEntry>>& out) const override {
    out = {entry_};
  }
  const TicketKeySet& tickets() const override { return none_; }

 private:
  std::shared_ptr<const CertificateEntry> entry_;
  TicketKeySet none_;
};

void note_record(int write, int, int type, const void* data, std::size_t size, SSL*, void* to) {
  if (write != 0 || type != SSL3_RT_HEADER || size != 5) return;
  const auto* bytes = static_cast<const unsigned char*>(data);
  if (bytes[0] != 23) return;  // application data
  static_cast<std::vector<std::size_t>*>(to)->push_back(std::size_t{bytes[3]} << 8 | bytes[4]);
}

// A client that asks with one byte and reads `bytes` back, as often as asked for.
class Reader {
 public:
  explicit Reader(int fd) : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
    SSL_set_fd(ssl_, fd);
  }
  ~Reader() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  bool shake() { return SSL_connect(ssl_) == 1; }
  std::vector<std::size_t> ask(std::size_t bytes) {
    std::vector<std::size_t> records;
    SSL_set_msg_callback(ssl_, &note_record);
    SSL_set_msg_callback_arg(ssl_, &records);
    if (SSL_write(ssl_, "?", 1) != 1) return {};
    std::string buffer(65'536, '\0');
    for (std::size_t got = 0; got < bytes;) {
      const int n = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
      if (n <= 0) return {};
      got += static_cast<std::size_t>(n);
    }
    return records;
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
};

class TlsRecords : public LoopbackTest {
 protected:
  static constexpr std::size_t kBytes = 200'000;

  template <typename Work>
  void beside_loop(Work work) {
    bool over = false;
    std::thread thread([&] {
      work();
      timed_.loop().post([&] { over = true; });
    });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!over && std::chrono::steady_clock::now() < end) {
      timed_.loop().run_once(std::chrono::milliseconds(5));
    }
    thread.join();
    ASSERT_TRUE(over);
  }

  base::ManualClock clock_;
  worker::Worker timed_{0, process_, offload_, clock_};
};

TEST_F(TlsRecords, BeginSmallGrowAndBeginSmallAgainAfterSilence) {
  const OneCertificate chooser;
  TlsServer server(timed_);
  Events events;
  const base::UniqueFd client = dial();
  auto transport =
      server.accept(accept_one(), name_of(client.get()), chooser, std::chrono::seconds(5));
  transport->set_target(events);
  events.at_bytes = [&](std::string_view) {
    transport->write(timed_.buffers().copy(std::string(kBytes, 'x')));
  };
  Reader reader(client.get());
  std::vector<std::size_t> first, second, third;
  beside_loop([&] {
    if (!reader.shake()) return;
    first = reader.ask(kBytes);
    second = reader.ask(kBytes);
  });
  clock_.advance(std::chrono::seconds(2));
  beside_loop([&] { third = reader.ask(kBytes); });
  for (const auto& records : {first, third}) {
    ASSERT_GT(records.size(), 30u);
    EXPECT_LE(records.front(), 1'400u) << "fits into one segment";
    EXPECT_LE(records[25], 1'400u);
    EXPECT_GT(records[34], 16'000u);
  }
  ASSERT_FALSE(second.empty());
  EXPECT_GT(second.front(), 16'000u) << "the connection is warm";
  EXPECT_LT(second.size(), 16u);
}

}  // namespace
}  // namespace weir::transport
