#include "controller/peers/writers.h"

#include <gtest/gtest.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "controller/ingress/ticket_keys.h"
#include "controller/peers/authority_ring.h"
#include "controller/peers/identity.h"
#include "controller/store/parse.h"
#include "tests/fakes/fake_api_server.h"

namespace weir::peers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kEmpty = R"({"apiVersion":"v1","kind":"Secret",
    "metadata":{"name":"tickets","namespace":"weir"},"type":"Opaque"})";

kubernetes::ClusterAccess access_to(const fakes::FakeApiServer& server) {
  kubernetes::ClusterAccess out;
  out.server = server.url();
  return out;
}

// One replica: its writer, and a store that gets the Secret when the test says so.
class Replica {
 public:
  Replica(loop::Loop& loop, const fakes::FakeApiServer& server, seconds period, bool leads)
      : server_(server),
        client_(loop, access_to(server), "weir-test"),
        writer_(make_ticket_writer(client_, {"weir", "tickets", period}, store_,
                                   [this] { return leads_; })),
        leads_(leads) {}

  // What a watch does.
  void catch_up() {
    const base::Json secret = server_.get("Secret", "weir", "tickets");
    if (!secret.is_null()) store_.put(store::parse_secret(secret).value());
  }

 private:
  const fakes::FakeApiServer& server_;
  store::Store store_;
  kubernetes::ApiClient client_;
  std::unique_ptr<SecretWriter> writer_;
  bool leads_;
};

class TicketWriterTest : public testing::Test {
 protected:
  TicketWriterTest() { base::log_start("test", base::LogLevel::kError); }

  ingress::TicketRing ring() const {
    const base::Json secret = server_.get("Secret", "weir", "tickets");
    const auto text =
        base::base64_decode(secret["data"][std::string(ingress::kTicketField)].as_string());
    const auto read = ingress::parse_ticket_ring(text.value_or(""));
    return read.ok() ? read.value() : ingress::TicketRing{};
  }
  std::size_t patches() const { return server_.count_requests("PATCH /api/v1/namespaces/weir"); }

  // Bounded; replicas see what is there in every turn.
  bool until(const std::function<bool()>& test, std::vector<Replica*> replicas,
             milliseconds most = seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!test()) {
      if (std::chrono::steady_clock::now() > end) return false;
      for (Replica* replica : replicas) replica->catch_up();
      loop_.run_once(milliseconds(5));
    }
    return true;
  }
  void run_for(milliseconds time, std::vector<Replica*> replicas) {
    until([] { return false; }, std::move(replicas), time);
  }

  fakes::FakeApiServer server_;
  loop::Loop loop_;
};

TEST_F(TicketWriterTest, TheLeaderWritesTheFirstKeysAndNobodyElseDoes) {
  server_.put(kEmpty);
  Replica follower(loop_, server_, seconds(3'600), false);
  run_for(milliseconds(1'500), {&follower});
  EXPECT_EQ(patches(), 0u);
  Replica leader(loop_, server_, seconds(3'600), true);
  EXPECT_TRUE(until([this] { return !ring().empty(); }, {&leader, &follower}));
  const ingress::TicketRing written = ring();
  run_for(milliseconds(1'500), {&leader, &follower});
  EXPECT_EQ(ring(), written) << "before the period is over nothing changes";
  EXPECT_EQ(patches(), 1u);
}

TEST_F(TicketWriterTest, AfterThePeriodTheNextKeyIsCurrent) {
  server_.put(kEmpty);
  Replica leader(loop_, server_, seconds(2), true);
  ASSERT_TRUE(until([this] { return !ring().empty(); }, {&leader}));
  const ingress::TicketRing first = ring();
  ASSERT_TRUE(until([&] { return ring() != first; }, {&leader}));
  EXPECT_EQ(ring().previous, first.current);
  EXPECT_EQ(ring().current, first.next);
}

TEST_F(TicketWriterTest, OfTwoThatBelieveToLeadOneWritesARotation) {
  server_.put(kEmpty);
  Replica one(loop_, server_, seconds(3'600), true);
  Replica other(loop_, server_, seconds(3'600), true);
  one.catch_up();
  other.catch_up();  // from here on both know only the empty Secret
  ASSERT_TRUE(until([this] { return patches() >= 2; }, {}));
  const ingress::TicketRing written = ring();
  EXPECT_FALSE(written.empty());
  run_for(milliseconds(1'500), {&one, &other});
  EXPECT_EQ(ring(), written) << "the conflict was not overwritten";
}

TEST_F(TicketWriterTest, WhatElseIsInTheSecretStays) {
  server_.put(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"tickets",
      "namespace":"weir","labels":{"a":"b"}},"data":{"other":"eA==","keys.json":"e30="}})");
  Replica leader(loop_, server_, seconds(3'600), true);
  ASSERT_TRUE(until([this] { return !ring().empty(); }, {&leader}));
  const base::Json secret = server_.get("Secret", "weir", "tickets");
  EXPECT_EQ(secret["data"]["other"].as_string(), "eA==");
  EXPECT_EQ(secret["metadata"]["labels"]["a"].as_string(), "b");
}

TEST_F(TicketWriterTest, ARefusalIsNotHammered) {
  server_.put(kEmpty);
  fakes::FakeFaults faults;
  faults.denied = {"secrets"};
  server_.set_faults(faults);
  Replica leader(loop_, server_, seconds(3'600), true);
  ASSERT_TRUE(until([this] { return patches() == 1; }, {&leader}));
  run_for(seconds(3), {&leader});
  EXPECT_EQ(patches(), 1u);
}

TEST_F(TicketWriterTest, WithoutTheSecretNothingIsWritten) {
  Replica leader(loop_, server_, seconds(3'600), true);
  run_for(milliseconds(1'500), {&leader});
  EXPECT_EQ(patches(), 0u);
}

TEST_F(TicketWriterTest, AuthoritiesAreWrittenOnceAndMakeACertificate) {
  server_.put(R"({"apiVersion":"v1","kind":"Secret",
      "metadata":{"name":"trust","namespace":"weir"},"data":{"authorities.json":"e30="}})");
  store::Store store;
  const auto catch_up = [&] {
    store.put(store::parse_secret(server_.get("Secret", "weir", "trust")).value());
  };
  catch_up();
  kubernetes::ApiClient client(loop_, access_to(server_), "weir-test");
  const auto writer = make_authority_writer(client, {"weir", "trust", kAuthorityPeriod}, store,
                                            [] { return true; });
  const auto held = [&] {
    return base::base64_decode(
               server_.get("Secret", "weir", "trust")["data"]["authorities.json"].as_string())
        .value_or("");
  };
  ASSERT_TRUE(until([&] { return held().size() > 100; }, {}));
  const std::string written = held();
  catch_up();
  run_for(milliseconds(2'500), {});
  EXPECT_EQ(held(), written);
  Identity identity(loop_.clock());
  EXPECT_FALSE(identity.look(""));
  EXPECT_EQ(identity.context(), nullptr);
  EXPECT_TRUE(identity.look(written));
  const auto first = identity.context();
  EXPECT_NE(first, nullptr);
  EXPECT_FALSE(identity.look(written)) << "still fresh";
  EXPECT_FALSE(identity.look("{}"));
  EXPECT_NE(identity.problem(), "");
  EXPECT_EQ(identity.context(), first) << "what it had it keeps";
}

TEST(Identity, IsRenewedAfterEightHours) {
  base::ManualClock clock;
  const std::int64_t now =
      std::chrono::duration_cast<seconds>(clock.wall_now().time_since_epoch()).count();
  const std::string text = to_text(make_authority_ring(now));
  Identity identity(clock);
  ASSERT_TRUE(identity.look(text));
  clock.advance(std::chrono::hours(7));
  EXPECT_FALSE(identity.look(text));
  clock.advance(std::chrono::hours(2));
  EXPECT_TRUE(identity.look(text));
  clock.advance(-std::chrono::hours(24));  // the wall clock was set back
  EXPECT_TRUE(identity.look(text));
}

}  // namespace
}  // namespace weir::peers
