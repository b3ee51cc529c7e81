#include <gtest/gtest.h>

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::exchange {
namespace {

using Does = ScriptedUpstreams::Does;
using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class TracingTest : public ExchangeTest {
 protected:
  void trace(std::string collector, std::string key) {
    next_->settings.tracing.collector = std::move(collector);
    next_->debug_key = std::move(key);
    next_->traces = true;
    add_route("/");
  }
  void ask(const Fields& fields) { begin(head("GET", "/", fields)).on_end(); }
  std::string sent(std::string_view name) { return call().stream->field(name); }
  std::string signature(std::string_view key) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(clock.wall_now().time_since_epoch());
    const std::string stamp = std::to_string(now.count());
    return stamp + "." + base::hex(crypto::hmac_sha256(key, stamp + ".shop.test"));
  }
  int debug_lines() const {
    int lines = 0;
    client.copy->each([&](const codec::FieldView& field) {
      lines += base::equals_ignore_case(field.name, "weir-debug") ? 1 : 0;
    });
    return lines;
  }
};

TEST_F(TracingTest, SwitchedOffNothingOfARequestIsTouched) {
  add_route("/");
  ask({{"traceparent", "nonsense"}, {"tracestate", "a=1"}, {"Weir-Debug", "1.2"}});
  EXPECT_EQ(sent("traceparent"), "nonsense");
  EXPECT_EQ(sent("tracestate"), "a=1");
  EXPECT_EQ(sent("Weir-Debug"), "1.2");
  answer(200, "x");
  EXPECT_EQ(debug_lines(), 0);
}

TEST_F(TracingTest, EveryAttemptNamesItselfToItsEndpoint) {
  trace("http://127.0.0.1:4318/v1/traces", "");
  upstreams.script.push_back({Does::kFails, false});
  begin(head("GET", "/", {{"traceparent", kParent}, {"tracestate", "a=1"}})).on_end();
  ASSERT_EQ(upstreams.calls.size(), 2U);
  const std::string text = call(1).stream->field("traceparent");
  EXPECT_EQ(text.substr(0, 36), std::string(kParent).substr(0, 36));
  EXPECT_NE(text.substr(36, 16), std::string(kParent).substr(36, 16));
  EXPECT_TRUE(text.ends_with("-01"));
  EXPECT_EQ(call(1).stream->field("tracestate"), "a=1");
  answer(200, "x", 1);
  EXPECT_EQ(debug_lines(), 0);
}

TEST_F(TracingTest, AClientThatIsNotTrustedBeginsItsOwnTrace) {
  next_->settings.tracing.trust_parent = false;
  trace("http://127.0.0.1:4318/v1/traces", "");
  ask({{"traceparent", kParent}, {"tracestate", "a=1"}});
  EXPECT_EQ(sent("traceparent").substr(0, 3), "00-");
  EXPECT_EQ(sent("traceparent").find("4bf92f"), std::string::npos);
  EXPECT_EQ(sent("tracestate"), "none");
  answer(200, "x");  // an exchange that is not over would leak
}

TEST_F(TracingTest, TwoTraceparentsAreNone) {
  trace("http://127.0.0.1:4318/v1/traces", "");
  ask({{"traceparent", kParent}, {"traceparent", kParent}, {"tracestate", "a=1"}});
  EXPECT_EQ(sent("traceparent").find("4bf92f"), std::string::npos);
  EXPECT_EQ(sent("tracestate"), "none");
  answer(200, "x");  // an exchange that is not over would leak
}

TEST_F(TracingTest, WithAKeyAloneTheTraceOfOthersIsLeftAlone) {
  const std::string key(32, 'k');
  trace("", key);
  ask({{"traceparent", "nonsense"}, {"Weir-Debug", signature(key)}});
  EXPECT_EQ(sent("traceparent"), "nonsense");
  EXPECT_EQ(sent("Weir-Debug"), "none");
  answer(200, "x");
  EXPECT_GE(debug_lines(), 4);
  EXPECT_EQ(client.field("Weir-Debug"), "listener: http");
}

TEST_F(TracingTest, AWrongSignatureIsToldNothing) {
  trace("", std::string(32, 'k'));
  ask({{"Weir-Debug", signature(std::string(32, 'x'))}});
  EXPECT_EQ(sent("Weir-Debug"), "none");
  answer(200, "x");
  EXPECT_EQ(debug_lines(), 0);
}

TEST_F(TracingTest, TwoSignaturesAreNone) {
  const std::string key(32, 'k');
  trace("", key);
  ask({{"Weir-Debug", signature(key)}, {"Weir-Debug", signature(key)}});
  answer(200, "x");
  EXPECT_EQ(debug_lines(), 0);
}

}  // namespace
}  // namespace weir::exchange
