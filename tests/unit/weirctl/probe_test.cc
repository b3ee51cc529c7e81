#include "weirctl/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <thread>

namespace weir::weirctl {
namespace {

using ::testing::HasSubstr;

// Answers 503 so often, then 200 with the Host field that it saw.
class Service {
 public:
  explicit Service(int failures) : failures_(failures) {
    server_.Get("/readyz", [this](const httplib::Request& request, httplib::Response& response) {
      host_ = request.get_header_value("Host");
      response.status = ++asked_ <= failures_ ? 503 : 200;
      response.set_content("text", "text/plain");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Service() { stop(); }
  void stop() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/readyz"; }
  int asked() const { return asked_; }
  const std::string& host() const { return host_; }

 private:
  const int failures_;
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  std::atomic<int> asked_{0};
  std::string host_;  // read after the answer
};

ProbeOptions options_for(const Service& service) {
  ProbeOptions out;
  out.url = service.url();
  return out;
}

TEST(Probe, TellsTheStatusItGot) {
  Service service(0);
  const auto answer = probe(options_for(service));
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_THAT(answer.value(), HasSubstr("status 200"));
  EXPECT_EQ(service.host(), service.url().substr(7, service.url().rfind('/') - 7));
}

TEST(Probe, SendsTheHostFieldThatItIsGiven) {
  Service service(0);
  ProbeOptions options = options_for(service);
  options.host = "shop.example.test";
  ASSERT_TRUE(probe(options).ok());
  EXPECT_EQ(service.host(), "shop.example.test");
}

TEST(Probe, AnotherStatusIsAFailureThatNamesBoth) {
  Service service(1);
  const auto answer = probe(options_for(service));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().kind, base::ErrorKind::kTimeout);
  EXPECT_THAT(answer.error().text, HasSubstr("status 503, expected: status 200"));
  EXPECT_EQ(service.asked(), 1);
}

TEST(Probe, AsksAgainUntilTheAnswerIsRight) {
  Service service(2);
  ProbeOptions options = options_for(service);
  options.wait = std::chrono::seconds(60);
  const auto answer = probe(options);
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(service.asked(), 3);
}

TEST(Probe, WaitsUntilNobodyListens) {
  Service service(0);
  ProbeOptions options = options_for(service);
  options.gone = true;
  const auto there = probe(options);
  ASSERT_FALSE(there.ok());
  EXPECT_THAT(there.error().text, HasSubstr("expected: nobody listening"));
  service.stop();
  options.wait = std::chrono::seconds(60);
  EXPECT_TRUE(probe(options).ok());
}

TEST(Probe, AnUrlThatIsNoneIsRefusedWithTheAcceptedForm) {
  for (const char* url : {"", "shop.test/", "https://shop.test/", "http:///x", "http://a:0/",
                          "http://a:70000/", "http://::1]/"}) {
    ProbeOptions options;
    options.url = url;
    const auto answer = probe(options);
    ASSERT_FALSE(answer.ok()) << url;
    EXPECT_EQ(answer.error().kind, base::ErrorKind::kInvalid) << url;
    EXPECT_THAT(answer.error().text, HasSubstr("accepted: http://HOST[:PORT]/PATH")) << url;
  }
}

}  // namespace
}  // namespace weir::weirctl
