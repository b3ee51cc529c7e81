#include "dataplane/exchange/retry.h"

#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::exchange {
namespace {

using codec::BodyLength;
using Does = ScriptedUpstreams::Does;

base::Error lost() {
  return {base::ErrorKind::kClosed, base::Origin::kUpstream, false, "closed before the first byte"};
}

TEST(ChooseRetry, SendsAgainOnlyWhatNobodyCanHaveSeenTwice) {
  struct Case {
    std::string_view name, method;
    bool retryable, reused, began, replayable;
    std::uint32_t attempts;
    base::ErrorKind kind;
    RetryChoice want;
  };
  constexpr auto kClosed = base::ErrorKind::kClosed;
  for (const Case& c :
       {Case{"unsent POST", "POST", true, false, false, true, 1, kClosed,
             RetryChoice::kOtherEndpoint},
        Case{"unsent, tries used up", "GET", true, false, false, true, 3, kClosed,
             RetryChoice::kNone},
        Case{"GET on a dead pooled one", "GET", false, true, false, true, 1, kClosed,
             RetryChoice::kFreshConnection},
        Case{"GET on a dead pooled one, tries used up", "GET", false, true, false, true, 3, kClosed,
             RetryChoice::kFreshConnection},
        Case{"unsent on a pooled one, tries used up", "GET", true, true, false, true, 3, kClosed,
             RetryChoice::kNone},
        Case{"PUT on a dead pooled one", "PUT", false, true, false, true, 1, kClosed,
             RetryChoice::kFreshConnection},
        Case{"POST on a dead pooled one", "POST", false, true, false, true, 1, kClosed,
             RetryChoice::kNone},
        Case{"PATCH on a dead pooled one", "PATCH", false, true, false, true, 1, kClosed,
             RetryChoice::kNone},
        Case{"GET on a new one", "GET", false, false, false, true, 1, kClosed, RetryChoice::kNone},
        Case{"an interim head came", "GET", false, true, true, true, 1, kClosed,
             RetryChoice::kNone},
        Case{"body is gone", "PUT", false, true, false, false, 1, kClosed, RetryChoice::kNone},
        Case{"broken head", "GET", false, true, false, true, 1, base::ErrorKind::kProtocol,
             RetryChoice::kNone},
        Case{"timeout", "GET", false, true, false, true, 1, base::ErrorKind::kTimeout,
             RetryChoice::kNone}}) {
    SCOPED_TRACE(c.name);
    const base::Error error{c.kind, base::Origin::kUpstream, c.retryable, "x"};
    FailedAttempt failed{error, c.method};
    failed.reused = c.reused;
    failed.response_began = c.began;
    failed.replayable = c.replayable;
    failed.attempts = c.attempts;
    EXPECT_EQ(choose_retry(failed), c.want);
  }
}

TEST(ChooseRetry, FollowsTheRulesOfTheRoute) {
  using Rule = model::RetryRule;
  struct Case {
    std::string_view name, method;
    Rule rule;
    base::ErrorKind kind;
    int status;
    RetryChoice want;
  };
  constexpr auto kClosed = base::ErrorKind::kClosed;
  constexpr auto kTimeout = base::ErrorKind::kTimeout;
  const Rule all{.on_error = true, .on_timeout = true, .on_invalid = true, .statuses = {502, 503}};
  Rule bold = all;
  bold.non_idempotent = true;
  Rule one = all;
  one.tries = 1;
  Rule late = all;
  late.time = std::chrono::milliseconds(100);
  for (const Case& c :
       {Case{"error", "GET", all, kClosed, 0, RetryChoice::kAgain},
        Case{"timeout", "GET", all, kTimeout, 0, RetryChoice::kAgain},
        Case{"invalid", "GET", all, base::ErrorKind::kProtocol, 0, RetryChoice::kAgain},
        Case{"status", "PUT", all, kClosed, 503, RetryChoice::kAgain},
        Case{"another status", "GET", all, kClosed, 500, RetryChoice::kNone},
        Case{"only errors", "GET", Rule{.on_error = true}, kTimeout, 0, RetryChoice::kNone},
        Case{"only timeouts", "GET", Rule{.on_timeout = true}, kClosed, 0, RetryChoice::kNone},
        Case{"POST error", "POST", all, kClosed, 0, RetryChoice::kNone},
        Case{"POST timeout", "POST", all, kTimeout, 0, RetryChoice::kNone},
        Case{"POST status", "POST", all, kClosed, 503, RetryChoice::kNone},
        Case{"PATCH status", "PATCH", all, kClosed, 502, RetryChoice::kNone},
        Case{"POST that was asked for", "POST", bold, kClosed, 503, RetryChoice::kAgain},
        Case{"no tries", "GET", one, kClosed, 503, RetryChoice::kNone},
        Case{"too late", "GET", late, kClosed, 503, RetryChoice::kNone}}) {
    SCOPED_TRACE(c.name);
    const base::Error error{c.kind, base::Origin::kUpstream, false, "x"};
    FailedAttempt failed{.error = error, .method = c.method, .rule = c.rule};
    failed.status = c.status;
    failed.since_first = std::chrono::milliseconds(200);
    EXPECT_EQ(choose_retry(failed), c.want);
    failed.replayable = false;
    EXPECT_EQ(choose_retry(failed), RetryChoice::kNone);
    failed.replayable = true;
    failed.response_began = true;
    EXPECT_EQ(choose_retry(failed), RetryChoice::kNone);
  }
}

model::RetryRule rule_of_statuses() {
  model::RetryRule rule;
  rule.statuses = {503};
  return rule;
}

class RuleTest : public ExchangeTest {
 protected:
  void add_ruled_route(const model::RetryRule& rule, model::RouteTimeouts timeouts = {}) {
    model::Route route;
    route.table = "main";
    route.host = "shop.test";
    route.id = "ruled";
    route.match.path.value = "/";
    route.retry = rule;
    route.timeouts = timeouts;
    auto plan = std::make_shared<RoutePlan>(std::move(route));
    plan->backends.push_back(backend("shop"));
    plan->total_weight = 1;
    auto table = std::make_shared<routing::RouteTable>(table_.with_route(plan).value());
    table_ = *table;
    next_->tables = next_->tables.with("main", std::move(table));
    publish();
    upstreams.home().limits = {};
    upstreams.home().retry_floor = 10;
  }
};

TEST_F(RuleTest, AStatusIsTriedAgainElsewhereAndTheLastOneIsPassedOn) {
  add_ruled_route(rule_of_statuses());
  codec::MessageTarget& request = begin(head("PUT", "/"), BodyLength::known(3));
  request.on_data(worker::Slice::borrowed("abc"));
  request.on_end();
  call(0).response->on_head(response(503), BodyLength::known(4));
  ASSERT_EQ(upstreams.calls.size(), 2u);
  EXPECT_FALSE(call(0).stream->was_reset.empty());
  EXPECT_EQ(call(1).avoid, std::vector<std::string>{"10.0.0.1:80"});
  EXPECT_EQ(call(1).stream->body, "abc");
  call(1).response->on_head(response(503), BodyLength::known(4));
  ASSERT_EQ(upstreams.calls.size(), 3u);
  answer(503, "last", 2);
  EXPECT_EQ(client.copy->status(), 503);
  EXPECT_EQ(client.body, "last");
  EXPECT_EQ(records.last.attempts, 3u);
  EXPECT_EQ(upstreams.home().state->totals.retries, 2u);
}

TEST_F(RuleTest, APostIsPassedOnWithItsStatus) {
  add_ruled_route(rule_of_statuses());
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::known(3));
  request.on_data(worker::Slice::borrowed("abc"));
  request.on_end();
  answer(503, "no");
  EXPECT_EQ(upstreams.calls.size(), 1u);
  EXPECT_EQ(client.copy->status(), 503);
}

TEST_F(RuleTest, TheBudgetBoundsWhatAnEndpointMaySeeTwice) {
  add_ruled_route(rule_of_statuses());
  upstreams.home().limits.retry_percent = 0;
  upstreams.home().retry_floor = 1;
  upstreams.home().retries = 1;  // of another request
  get("/");
  answer(503, "no");
  EXPECT_EQ(upstreams.calls.size(), 1u);
  EXPECT_EQ(client.body, "no");
  EXPECT_EQ(upstreams.home().state->totals.retries_refused, 1u);
}

TEST_F(RuleTest, ATryThatTakesTooLongIsGivenUpForAnother) {
  model::RetryRule rule;
  rule.on_timeout = true;
  rule.per_try = std::chrono::milliseconds(500);
  add_ruled_route(rule);
  get("/");
  pass(std::chrono::milliseconds(600));
  ASSERT_EQ(upstreams.calls.size(), 2u);
  EXPECT_FALSE(call(0).stream->was_reset.empty());
  pass(std::chrono::milliseconds(300));
  answer(200, "ok", 1);
  EXPECT_EQ(client.copy->status(), 200);
}

TEST_F(RuleTest, ATimeoutWithoutRuleIs504AndNoSecondDelivery) {
  model::RouteTimeouts timeouts;
  timeouts.read = std::chrono::milliseconds(500);
  add_ruled_route({}, timeouts);
  get("/");
  pass(std::chrono::milliseconds(600));
  EXPECT_EQ(upstreams.calls.size(), 1u);
  EXPECT_EQ(client.copy->status(), 504);
}

TEST_F(RuleTest, ATryThatNeverConnectsIsGivenUpForAnother) {
  model::RetryRule rule;
  rule.per_try = std::chrono::milliseconds(500);
  add_ruled_route(rule);
  upstreams.script = {{Does::kLater, false}};
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::known(2));
  pass(std::chrono::milliseconds(600));
  ASSERT_EQ(upstreams.calls.size(), 2u) << "nothing has left: any method may go elsewhere";
  EXPECT_FALSE(*call(0).alive);
  request.on_data(worker::Slice::borrowed("hi"));
  request.on_end();
  answer(200, "", 1);
}

TEST_F(ExchangeTest, AConnectFailureGoesToAnotherEndpoint) {
  add_route("/");
  upstreams.script = {{Does::kFails, false}, {Does::kLater, false}, {Does::kReady, false}};
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::known(2));
  ASSERT_EQ(upstreams.calls.size(), 2u);
  EXPECT_EQ(call(1).avoid, std::vector<std::string>{"10.0.0.1:80"});
  EXPECT_FALSE(call(1).idempotent);
  call(1).target->on_attempt_failed(ScriptedUpstreams::refused());
  ASSERT_EQ(upstreams.calls.size(), 3u);
  EXPECT_EQ(call(2).avoid, (std::vector<std::string>{"10.0.0.1:80", "10.0.0.2:80"}));
  request.on_data(worker::Slice::borrowed("hi"));
  request.on_end();
  EXPECT_EQ(call(2).stream->body, "hi");
  answer(200, "", 2);
  EXPECT_EQ(records.last.attempts, 3u);
}

TEST_F(ExchangeTest, TriesAreAllThereAre) {
  add_route("/");
  upstreams.script.assign(9, {Does::kFails, false});
  get("/");
  EXPECT_EQ(upstreams.calls.size(), 3u);
  EXPECT_EQ(client.copy->status(), 502);
  EXPECT_EQ(records.error, "connect: refused");
}

TEST_F(ExchangeTest, AnIdempotentRequestIsReplayedOnAFreshConnection) {
  add_route("/");
  upstreams.script = {{Does::kReady, true}, {Does::kReady, false}};
  codec::MessageTarget& request = begin(head("PUT", "/"), BodyLength::known(6));
  request.on_data(worker::Slice::borrowed("abc"));
  call(0).response->on_reset(lost());
  ASSERT_EQ(upstreams.calls.size(), 2u);
  EXPECT_TRUE(call(1).fresh);
  EXPECT_EQ(call(1).stream->body, "abc");
  EXPECT_EQ(call(1).stream->sent_length, "6");
  request.on_data(worker::Slice::borrowed("def"));
  request.on_end();
  EXPECT_EQ(call(1).stream->body, "abcdef");
  answer(200, "ok", 1);
  EXPECT_EQ(client.copy->status(), 200);
}

TEST_F(ExchangeTest, APostIsNeverDeliveredTwice) {
  add_route("/");
  upstreams.script = {{Does::kReady, true}};
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::known(3));
  request.on_data(worker::Slice::borrowed("abc"));
  request.on_end();
  call(0).response->on_reset(lost());
  EXPECT_EQ(upstreams.calls.size(), 1u);
  EXPECT_EQ(client.copy->status(), 502);
}

TEST_F(ExchangeTest, ABodyTooLargeToKeepIsNotReplayed) {
  add_route("/");
  upstreams.script = {{Does::kReady, true}};
  codec::MessageTarget& request = begin(head("PUT", "/"), BodyLength::unknown());
  const std::string part(50'000, 'x');
  request.on_data(worker::Slice::borrowed(part));
  request.on_data(worker::Slice::borrowed(part));
  call(0).response->on_reset(lost());
  EXPECT_EQ(upstreams.calls.size(), 1u);
  EXPECT_EQ(client.copy->status(), 502);
}

}  // namespace
}  // namespace weir::exchange
