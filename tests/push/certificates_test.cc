// Certificates and ticket keys, and how listeners and hosts choose them.

#include <gtest/gtest.h>

#include <csignal>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;

class PushCertificates : public testing::Test {
 protected:
  PushCertificates() {
    secure.protocol = model::ListenerProtocol::kHttps;
    secure.default_certificates = {"default"};
    push_all();
  }
  void push_all() {
    model::Host host = make_host("b.test");
    host.certificates = {"b"};
    stage.must_push({fallback.resource, b.resource, make_resource(host), make_resource(secure)});
  }
  Door door(const std::string& sni) const {
    return {.port = secure.binds[0].port, .tls = true, .sni = sni};
  }
  std::string served(const std::string& sni) const { return Client(door(sni)).certificate(); }
  static model::ResourcePtr tickets(const std::vector<std::string>& keys) {
    model::TicketKeys out;
    out.count = static_cast<std::uint32_t>(keys.size());
    return make_resource(out, keys);
  }
  bool resumes(TlsSession& session) const {
    Client client(door("a.test"), &session);
    EXPECT_EQ(client.get("/", "a.test").status, 200);  // the tickets come with the answer
    return client.resumed();
  }

  Stage stage;
  model::Listener secure = make_listener("secure", free_port());
  TestCertificate fallback{"default", {"ingress.local"}};
  TestCertificate b{"b", {"b.test"}};
};

TEST_F(PushCertificates, DefaultsServeWhoeverHasNoHost) {
  for (const char* name : {"", "a.test", "unknown.test"}) {
    EXPECT_EQ(served(name), fallback.fingerprint) << name;
  }
  const TestCertificate other("other", {"other.test"});
  secure.default_certificates = {"other"};
  stage.must_push({other.resource, make_resource(secure)});
  EXPECT_EQ(served(""), other.fingerprint);
}

TEST_F(PushCertificates, AHostsCertificateIsChosenByServerName) {
  EXPECT_EQ(served("b.test"), b.fingerprint);
  model::Host wild = make_host("*.b.test");
  const TestCertificate star("star", {"*.b.test"});
  wild.certificates = {"star"};
  stage.must_push({star.resource, make_resource(wild)});
  EXPECT_EQ(served("x.b.test"), star.fingerprint);
  EXPECT_EQ(served("b.test"), b.fingerprint);
  stage.must_push({make_resource(make_host("b.test"))});
  EXPECT_EQ(served("b.test"), fallback.fingerprint);
}

TEST_F(PushCertificates, ANewPairServesTheNextHandshakeAndKeepsConnections) {
  Client open(door("b.test"));
  ASSERT_EQ(open.get("/", "a.test").status, 200);
  for (int i = 0; i < 5; ++i) {
    const TestCertificate next("b", {"b.test"});
    stage.must_push({next.resource});
    EXPECT_EQ(served("b.test"), next.fingerprint);
  }
  EXPECT_EQ(open.get("/", "a.test").status, 200);
}

TEST_F(PushCertificates, AMissingCertificateIsReportedAndTheDefaultServes) {
  model::Host host = make_host("c.test");
  host.certificates = {"gone"};
  const Verdict verdict = stage.controller->push({make_resource(host)});
  ASSERT_TRUE(verdict.answered && verdict.applied) << verdict.to_string();
  EXPECT_NE(verdict.why(ResourceType::kHost, "main/c.test").find("gone"), std::string::npos);
  EXPECT_EQ(served("c.test"), fallback.fingerprint);
  EXPECT_EQ(served("b.test"), b.fingerprint);
}

TEST_F(PushCertificates, SharedTicketKeysOutliveTheWorkerAndOthersDoNot) {
  const std::string old_key = crypto::random_bytes(80);
  stage.must_push({tickets({old_key})});
  TlsSession session;
  EXPECT_FALSE(resumes(session));
  EXPECT_TRUE(resumes(session));
  EXPECT_TRUE(resumes(session)) << "by the ticket of a resumed session";

  const pid_t worker = stage.dataplane.worker();
  ASSERT_GT(worker, 1);
  ASSERT_EQ(::kill(worker, SIGKILL), 0);
  stage.controller = std::make_unique<Controller>(stage.dataplane.control_socket());
  ASSERT_TRUE(stage.controller->connected());
  stage.must_push(plain_setup(stage));
  push_all();
  stage.must_push({tickets({old_key})});
  EXPECT_TRUE(resumes(session)) << "the same keys";

  const std::string new_key = crypto::random_bytes(80);
  stage.must_push({tickets({new_key, old_key})});
  EXPECT_TRUE(resumes(session)) << "an older key opens tickets";
  TlsSession fresh;
  EXPECT_FALSE(resumes(fresh));
  stage.must_push({tickets({new_key})});
  EXPECT_TRUE(resumes(fresh)) << "tickets are made with the first key";
  stage.must_push({tickets({crypto::random_bytes(80)})});
  EXPECT_FALSE(resumes(fresh)) << "other keys";
  EXPECT_EQ(stage.get("/").status, 200);
}

TEST_F(PushCertificates, TicketKeysOfTheWrongSizeAreRefused) {
  const Verdict verdict = stage.controller->push({tickets({std::string(48, 'k')})});
  EXPECT_TRUE(verdict.answered);
  EXPECT_FALSE(verdict.applied);
  EXPECT_NE(verdict.why(ResourceType::kTicketKeys, "default"), "") << verdict.to_string();
}

}  // namespace
}  // namespace weir::push
