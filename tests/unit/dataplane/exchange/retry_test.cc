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
