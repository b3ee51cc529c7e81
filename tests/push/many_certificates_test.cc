// 100,000 hosts with a certificate each: what they cost before anybody asks for them.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasures = false;
#elif defined(__has_feature)
constexpr bool kMeasures = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool kMeasures = true;
#endif
constexpr int kCertificates = kMeasures ? 100'000 : 2'000;
constexpr int kPerTransaction = 5'000;
constexpr std::size_t kMostBytesEach = 10 * 1024;

std::size_t resident_bytes(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  std::size_t whole = 0;
  std::size_t resident = 0;
  statm >> whole >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::string host_of(int i) { return "h" + std::to_string(i) + ".test"; }

// One key and one signature for all, told apart by four bytes of the serial number: nobody who
// serves a certificate looks at who signed it.
class Mint {
 public:
  Mint() {
    const crypto::PemPair pem = crypto::make_self_signed({"many.test"}, std::time(nullptr), 30);
    auto pair = crypto::parse_key_pair(pem.certificate, pem.key);
    pair_ = std::move(pair).value();
    // TBSCertificate begins with the version [0], then INTEGER of 16 bytes: the serial number.
    serial_at_ = pair_.chain[0].find(std::string("\x02\x10", 2)) + 4;
  }
  void add(int i, std::vector<model::ResourcePtr>& out) const {
    model::Certificate facts;
    facts.name = "many/" + std::to_string(i);
    facts.names = {host_of(i)};
    facts.not_after = pair_.not_after;
    facts.key_type = pair_.key_type;
    facts.fingerprint = pair_.fingerprint.substr(0, 56) + std::to_string(10'000'000 + i);
    std::string leaf = pair_.chain[0];
    for (int byte = 0; byte < 4; ++byte) {
      leaf[serial_at_ + static_cast<std::size_t>(byte)] = static_cast<char>(i >> (8 * byte) & 0x7f);
    }
    out.push_back(make_resource(facts, {std::move(leaf), pair_.key}));
    model::Host host = make_host(host_of(i));
    host.certificates = {facts.name};
    out.push_back(make_resource(host));
  }

 private:
  crypto::KeyPair pair_;
  std::size_t serial_at_ = 0;
};

TEST(ManyCertificates, CostLittleUntilTheyAreAskedFor) {
  Stage stage;
  model::Listener secure = make_listener("secure", free_port());
  secure.protocol = model::ListenerProtocol::kHttps;
  const TestCertificate fallback("default", {"ingress.local"});
  secure.default_certificates = {"default"};
  stage.must_push({fallback.resource});
  const pid_t worker = stage.dataplane.worker();
  const std::size_t before = resident_bytes(worker);

  const Mint mint;
  std::chrono::nanoseconds pushing{0};
  for (int first = 0; first < kCertificates; first += kPerTransaction) {
    std::vector<model::ResourcePtr> some;
    const int end = std::min(first + kPerTransaction, kCertificates);
    for (int i = first; i < end; ++i) mint.add(i, some);
    const auto start = std::chrono::steady_clock::now();
    stage.must_push(some);
    pushing += std::chrono::steady_clock::now() - start;
  }
  const auto start = std::chrono::steady_clock::now();
  stage.must_push({make_resource(secure)});
  const auto shake = [&](int i) {
    const Door door{.port = secure.binds[0].port, .tls = true, .sni = host_of(i)};
    return Client(door).certificate();
  };
  const std::string one = shake(0);
  pushing += std::chrono::steady_clock::now() - start;
  const std::size_t each =
      (resident_bytes(worker) - before) / static_cast<std::size_t>(kCertificates);
  std::printf("%d certificates: first handshake after %.2f s, %zu bytes each\n", kCertificates,
              std::chrono::duration<double>(pushing).count(), each);

  EXPECT_NE(one, "");
  EXPECT_NE(one, fallback.fingerprint);
  const std::string last = shake(kCertificates - 1);
  EXPECT_NE(last, one);
  EXPECT_NE(last, fallback.fingerprint);
  EXPECT_EQ(shake(0), one);
  if (kMeasures) {
    EXPECT_LE(each, kMostBytesEach);
  }
}

}  // namespace
}  // namespace weir::push
