#include "controller/kubernetes/curl_multi.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/base/fd.h"
#include "common/crypto/certificate.h"
#include "tests/fakes/fake_api_server.h"
#include "tests/unit/controller/kubernetes/recording_target.h"

namespace weir::kubernetes {
namespace {

namespace fs = std::filesystem;

class Answer final : public HttpTarget {
 public:
  void on_head(int code, const std::vector<std::pair<std::string, std::string>>&) override {
    status = code;
    if (on_status) on_status();
  }
  void on_bytes(std::string_view bytes) override { body.append(bytes); }
  void on_end(base::Result<void> got) override { result.emplace(std::move(got)); }

  int status = 0;
  std::string body;
  std::optional<base::Result<void>> result;
  std::function<void()> on_status;
};

class CurlConnectionsTest : public testing::Test {
 protected:
  HttpTransfer get(std::string url, Answer& answer,
                   CurlConnections::Use use = CurlConnections::Use::kCall) {
    HttpRequest request;
    request.url = std::move(url);
    return connections_.start(std::move(request), use, answer);
  }
  bool until(const std::function<bool()>& condition) { return run_until(loop_, condition); }

  loop::Loop loop_;
  CurlConnections connections_{loop_};
};

TEST_F(CurlConnectionsTest, PutsAtMostEightyStreamsIntoAGroup) {
  fakes::FakeApiServer server;
  const std::string watch = server.url() + "/api/v1/services?watch=1";
  std::vector<Answer> answers(165);
  std::vector<HttpTransfer> transfers;
  for (Answer& answer : answers)
    transfers.push_back(get(watch, answer, CurlConnections::Use::kStream));
  EXPECT_EQ(connections_.groups(), 3U);
  Answer call;
  const HttpTransfer running = get(server.url() + "/api/v1/services", call);
  EXPECT_EQ(connections_.groups(), 4U);
  ASSERT_TRUE(until([&] { return call.result.has_value(); }));
  ASSERT_TRUE(until([&] {
    return std::all_of(answers.begin(), answers.end(),
                       [](const Answer& a) { return a.status == 200; });
  }));
  transfers.clear();
  ASSERT_TRUE(until([&] { return server.open_watches() == 0; }));
  const HttpTransfer again = get(watch, answers[0], CurlConnections::Use::kStream);
  EXPECT_EQ(connections_.groups(), 2U);
}

TEST_F(CurlConnectionsTest, LeavesAConnectionThatIsNotTrusted) {
  fakes::FakeApiServer server;
  const std::string watch = server.url() + "/api/v1/services?watch=1";
  Answer one;
  Answer two;
  HttpTransfer first = get(watch, one, CurlConnections::Use::kStream);
  first.distrust_connection();
  const HttpTransfer second = get(watch, two, CurlConnections::Use::kStream);
  EXPECT_EQ(connections_.groups(), 2U);
  ASSERT_TRUE(until([&] { return one.status == 200 && two.status == 200; }));
}

// Silence in place of a handshake is as good as no server: what was never asked may be asked again
// at once. After that, silence may mean anything.
TEST_F(CurlConnectionsTest, ATimeOutIsRetryableOnlyBeforeTheRequestLeft) {
  const base::UniqueFd mute(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(mute.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(mute.get(), 8), 0);
  ::getsockname(mute.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const std::string place = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  Answer unheard;
  Answer unanswered;
  const HttpTransfer handshake = get("https://" + place + "/", unheard);
  HttpRequest request;
  request.url = "http://" + place + "/";
  request.timeout = std::chrono::milliseconds(1'000);
  const HttpTransfer asked =
      connections_.start(std::move(request), CurlConnections::Use::kCall, unanswered);
  ASSERT_TRUE(until([&] { return unheard.result && unanswered.result; }));
  ASSERT_FALSE(unheard.result->ok() || unanswered.result->ok());
  EXPECT_EQ(unheard.result->error().kind, base::ErrorKind::kTimeout);
  EXPECT_TRUE(unheard.result->error().retryable);
  EXPECT_EQ(unanswered.result->error().kind, base::ErrorKind::kTimeout);
  EXPECT_FALSE(unanswered.result->error().retryable);
}

TEST_F(CurlConnectionsTest, ATargetMayCancelItselfAndOthersFromItsCalls) {
  fakes::FakeApiServer server;
  server.put(R"({"kind":"Service","metadata":{"name":"a"}})");
  const std::string watch = server.url() + "/api/v1/services?watch=1";
  Answer one;
  Answer two;
  HttpTransfer first = get(watch, one, CurlConnections::Use::kStream);
  HttpTransfer second = get(watch, two, CurlConnections::Use::kStream);
  one.on_status = [&] {
    first.cancel();
    second.cancel();
  };
  two.on_status = one.on_status;
  ASSERT_TRUE(until([&] { return one.status + two.status == 200; }));
  run_for(loop_, std::chrono::milliseconds(50));
  EXPECT_EQ(one.status + two.status, 200);
  EXPECT_EQ(one.body + two.body, "");
  EXPECT_FALSE(one.result || two.result);
}

// A TLS server with a certificate for one name.
class TlsServer {
 public:
  explicit TlsServer(const std::string& name) {
    pair_ = crypto::make_self_signed({name}, std::time(nullptr), 1);
    std::string pattern = (fs::temp_directory_path() / "weir-tls-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::ofstream(folder_ / "cert") << pair_.certificate;
    std::ofstream(folder_ / "key") << pair_.key;
    server_ =
        std::make_unique<httplib::SSLServer>((folder_ / "cert").c_str(), (folder_ / "key").c_str());
    server_->Get("/", [](const httplib::Request& request, httplib::Response& response) {
      response.set_content(request.get_header_value("Host"), "text/plain");
    });
    server_->set_keep_alive_timeout(1);
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~TlsServer() {
    server_->stop();
    thread_.join();
    fs::remove_all(folder_);
  }
  const std::string& ca() const { return pair_.certificate; }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  crypto::PemPair pair_;
  fs::path folder_;
  std::unique_ptr<httplib::SSLServer> server_;
  std::thread thread_;
  int port_ = 0;
};

TEST_F(CurlConnectionsTest, ChecksTheServersCertificateAndName) {
  TlsServer server("kube.test");
  const std::string other =
      crypto::make_self_signed({"kube.test"}, std::time(nullptr), 1).certificate;
  struct Case {
    std::string_view name;
    TlsSettings tls;
    bool good;
  };
  const auto tls = [](std::string ca, std::string name, bool insecure) {
    TlsSettings out;
    out.ca_pem = std::move(ca);
    out.server_name = std::move(name);
    out.insecure = insecure;
    return out;
  };
  for (const Case& c :
       {Case{"its own certificate and name", tls(server.ca(), "kube.test", false), true},
        Case{"the address is not in it", tls(server.ca(), "", false), false},
        Case{"another authority", tls(other, "kube.test", false), false},
        Case{"the system's authorities", tls("", "kube.test", false), false},
        Case{"insecure", tls("", "", true), true}}) {
    SCOPED_TRACE(c.name);
    connections_.set_tls(c.tls);
    Answer answer;
    const HttpTransfer transfer = get(server.url(), answer);
    ASSERT_TRUE(until([&] { return answer.result.has_value(); }));
    EXPECT_EQ(answer.result->ok(), c.good);
    if (c.good) {
      EXPECT_EQ(answer.status, 200);
    } else {
      EXPECT_EQ(answer.result->error().kind, base::ErrorKind::kInvalid);
      EXPECT_EQ(answer.result->error().origin, base::Origin::kConfig);
    }
  }
}

}  // namespace
}  // namespace weir::kubernetes
