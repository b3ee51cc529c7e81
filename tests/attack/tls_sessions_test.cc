// Rows 27 and 28: sessions that must not be resumed, and what a handshake must not agree to.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "common/features/auth_tls.h"
#include "tests/attack/pki.h"
#include "tests/attack/tls_probe.h"
#include "tests/push/stage.h"

namespace weir::attack {
namespace {

using model::make_resource;
using Mode = model::ClientCertificateMode;

// a.test and c.test ask for a certificate, each of its own authority; b.test asks for none. One
// certificate and one set of ticket keys serves all three.
class TlsSessions : public testing::Test {
 protected:
  TlsSessions() {
    secure.protocol = model::ListenerProtocol::kHttps;
    secure.default_certificates = {"server"};
    const Identity server({.common_name = "server", .sans = "DNS:*.test"});
    model::TicketKeys keys;
    keys.count = 1;
    stage.must_push({server.certificate("server"), root.trust("ca"), other.trust("other"),
                     make_resource(keys, {std::string(80, 'k')}), make_resource(secure)});
    push_host("a.test", Mode::kRequired, "ca");
    push_host("b.test", Mode::kOff, "");
    push_host("c.test", Mode::kRequired, "other");
  }

  void push_host(const std::string& name, Mode mode, const std::string& trust,
                 std::uint32_t depth = 1) {
    model::Host host = push::make_host(name);
    if (mode != Mode::kOff) host.client_tls = model::ClientTls{mode, trust, depth};
    features::AuthTls settings;
    const auto policy = model::make_policy("auth_tls", 1, base::encode(settings).to_string());
    model::Route route = push::make_route("root", "/", "aa");
    route.host = name;
    if (mode != Mode::kOff) route.policies = {policy->key.name};
    stage.must_push({policy, make_resource(host), make_resource(route)});
  }

  struct Visit {
    bool resumed = false;
    int status = 0;
    SessionPtr session;
  };
  Visit visit(const std::string& host, const Identity* certificate, const SessionPtr& session,
              int version = 0) {
    ProbeAsk ask{.port = secure.binds[0].port, .sni = host};
    ask.certificate = certificate;
    ask.session = session;
    ask.version = version;
    Probe probe(ask);
    EXPECT_TRUE(probe.open()) << probe.error();
    Visit out;
    out.status = probe.get(host).status;  // the tickets come with the answer
    out.resumed = probe.resumed();
    out.session = probe.session();
    return out;
  }

  push::Stage stage;
  model::Listener secure = push::make_listener("secure", push::free_port());
  Identity root{{.common_name = "root", .authority = true}};
  Identity other{{.common_name = "other", .authority = true}};
  Identity client{{.common_name = "client", .usage = "clientAuth"}, &root};
};

TEST_F(TlsSessions, Row27ATicketResumesWhereTheSameIsAsked) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Visit first = visit("a.test", &client, nullptr, version);
    EXPECT_EQ(first.status, 200);
    // Without presenting the certificate again: the session remembers it.
    const Visit again = visit("a.test", nullptr, first.session, version);
    EXPECT_TRUE(again.resumed);
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(push::field_of(stage.aa.last(), "ssl-client-subject-dn"), "CN=client");
  }
}

TEST_F(TlsSessions, Row27ATicketOfOneHostDoesNotOpenAnother) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const char* from : {"a.test", "b.test"}) {
      for (const char* to : {"a.test", "b.test", "c.test"}) {
        if (std::string_view(from) == to) continue;
        SCOPED_TRACE(std::string(from) + " to " + to);
        const Visit first = visit(from, &client, nullptr, version);
        EXPECT_EQ(first.status, 200);
        const Visit second = visit(to, nullptr, first.session, version);
        EXPECT_FALSE(second.resumed);
        EXPECT_EQ(second.status, std::string_view(to) == "b.test" ? 200 : 400);
      }
    }
  }
}

TEST_F(TlsSessions, Row27ATicketOfAnOldPolicyDoesNotOpenTheNewOne) {
  const auto refused = [&](const SessionPtr& session, const char* why) {
    const Visit later = visit("a.test", nullptr, session);
    EXPECT_FALSE(later.resumed) << why;
    EXPECT_EQ(later.status, 400) << why;
  };
  push_host("a.test", Mode::kOptional, "ca");
  const SessionPtr unasked = visit("a.test", nullptr, nullptr).session;
  push_host("a.test", Mode::kRequired, "ca");
  refused(unasked, "no certificate was needed");
  SessionPtr session = visit("a.test", &client, nullptr).session;
  stage.must_push({root.trust("ca", {root.crl_der({&client})})});
  refused(session, "the certificate is revoked");
  stage.must_push({other.trust("ca")});
  refused(session, "another authority");
  stage.must_push({root.trust("ca")});
  push_host("a.test", Mode::kRequired, "ca", 0);
  refused(session, "another depth");
  push_host("a.test", Mode::kRequired, "ca");
  EXPECT_TRUE(visit("a.test", nullptr, session).resumed) << "all is as it was";
}

TEST_F(TlsSessions, Row28RenegotiationIsRefused) {
  ProbeAsk ask{.port = secure.binds[0].port, .sni = "b.test", .version = TLS1_2_VERSION};
  Probe probe(ask);
  ASSERT_EQ(probe.get("b.test").status, 200);
  ASSERT_EQ(SSL_renegotiate(probe.ssl()), 1);
  const int outcome = SSL_do_handshake(probe.ssl());
  const bool went_through = outcome == 1 && SSL_renegotiate_pending(probe.ssl()) == 0 &&
                            SSL_num_renegotiations(probe.ssl()) > 0 &&
                            probe.get("b.test").status == 200 &&
                            SSL_total_renegotiations(probe.ssl()) > 1;
  EXPECT_FALSE(went_through);
  EXPECT_EQ(visit("b.test", nullptr, nullptr).status, 200);
}

TEST_F(TlsSessions, Row28NoEarlyDataIsOffered) {
  const Visit first = visit("b.test", nullptr, nullptr, TLS1_3_VERSION);
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(first.session.get()), 0u);
  // Sent all the same it is not taken.
  SSL_SESSION_set_max_early_data(first.session.get(), 16'384);
  ProbeAsk ask{.port = secure.binds[0].port, .sni = "b.test", .session = first.session};
  ask.early = "GET /early HTTP/1.1\r\nHost: b.test\r\n\r\n";
  Probe second(ask);
  ASSERT_TRUE(second.open()) << second.error();
  EXPECT_FALSE(second.early_was_taken());
  EXPECT_EQ(second.get("b.test", "/late").status, 200);
  for (const std::string& request : stage.aa.take()) {
    EXPECT_EQ(request.find("/early"), std::string::npos);
  }
}

TEST_F(TlsSessions, Row28AProtocolThatIsNotSpokenIsNotAgreedOn) {
  ProbeAsk ask{.port = secure.binds[0].port, .sni = "b.test"};
  ask.alpn = "\x04smtp";
  Probe stranger(ask);
  EXPECT_FALSE(stranger.open());
  ask.alpn = "\x04smtp\x08http/1.1";
  Probe known(ask);
  EXPECT_EQ(known.alpn(), "http/1.1");
  EXPECT_EQ(known.get("b.test").status, 200);
}

}  // namespace
}  // namespace weir::attack
