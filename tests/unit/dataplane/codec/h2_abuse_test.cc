// What a client may ask for beyond what it gets answers to.

#include "dataplane/codec/h2_abuse.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/codec/h2_rig.h"

namespace weir::codec {
namespace {

using namespace std::chrono_literals;

TEST(H2AbuseTest, TheBudgetFillsWithTimeAndWithAnswers) {
  const base::TimePoint start{1h};
  H2Abuse abuse;
  abuse.add(H2Abuse::kBudget, start);
  EXPECT_FALSE(abuse.is_too_much());
  abuse.add(H2Abuse::kAnswered, start);
  abuse.add(4, start);
  EXPECT_FALSE(abuse.is_too_much());
  abuse.add(50, start + 500ms);
  EXPECT_FALSE(abuse.is_too_much());
  abuse.add(1, start + 501ms);
  EXPECT_TRUE(abuse.is_too_much());
  abuse.add(1, start + 1h);
  EXPECT_TRUE(abuse.is_too_much()) << "once is enough";
}

std::uint32_t nth(int i) { return static_cast<std::uint32_t>(2 * i + 1); }

// Repeats until the session ends.
//   returns: how often, 100,000 when it does not.
int until_end(H2Rig& rig, const std::function<std::string(int)>& next) {
  rig.raw(h2::opening());
  for (int i = 0; i < 100'000; ++i) {
    rig.raw(next(i));
    if (rig.server.session_ends > 0) return i + 1;
  }
  return 100'000;
}

TEST(H2AbuseTest, EveryFloodEndsWithEnhanceYourCalmWithinItsBudget) {
  struct Flood {
    const char* name;
    std::function<std::string(int)> next;
    int most;
  };
  const Flood floods[] = {
      {"rapid reset", [](int i) { return h2::headers(nth(i), h2::get()) + h2::reset(nth(i), 8); },
       251},
      {"made you reset",
       [](int i) {
         return h2::headers(nth(i), h2::get(), false) + h2::window_update(nth(i), 0x7fffffff);
       },
       251},
      {"ping", [](int) { return h2::ping(); }, 1001},
      {"settings", [](int) { return h2::settings(4, 1000); }, 101},
      {"priority", [](int) { return h2::frame(h2::kPriority, 0, 1, std::string(5, '\0')); }, 1001},
      {"window update", [](int) { return h2::window_update(0, 1); }, 1001},
      {"unknown", [](int) { return h2::frame(static_cast<h2::Type>(0x77), 0, 0, "x"); }, 1001},
      {"empty data",
       [](int i) { return i == 0 ? h2::headers(1, h2::get(), false) : h2::frame(h2::kData, 0, 1); },
       202},
      {"too many fields",
       [](int i) {
         auto fields = h2::get();
         for (int n = 0; n < 101; ++n) fields.emplace_back("x", "");
         return h2::headers(nth(i), fields);
       },
       70},
  };
  for (const Flood& flood : floods) {
    H2Rig rig;
    EXPECT_LE(until_end(rig, flood.next), flood.most) << flood.name;
    const auto frames = h2::split(rig.heard);
    const h2::Frame* goaway = last_of(frames, h2::kGoaway);
    ASSERT_NE(goaway, nullptr) << flood.name;
    EXPECT_EQ(goaway->word(4), std::uint32_t{NGHTTP2_ENHANCE_YOUR_CALM}) << flood.name;
    for (const auto& exchange : rig.server.exchanges) {
      EXPECT_TRUE(exchange->error.has_value()) << flood.name;
    }
  }
}

TEST(H2AbuseTest, AClientThatWorksMayCancelAndPingForEver) {
  H2Rig rig;
  rig.server.prepare = [](H2Server::Exchange& exchange) {
    exchange.then_end = [&exchange] { exchange.reply(200, "ok"); };
  };
  for (int i = 0; i < 3000; ++i) {
    const auto id = rig.peer.request(h2::get());
    rig.session->on_bytes(rig.peer.output());
    rig.turn();
    rig.session->on_bytes(h2::ping() + h2::window_update(0, 1) + h2::window_update(0, 1));
    rig.turn();
    rig.ok = rig.peer.feed(rig.take()) && rig.ok;
    ASSERT_EQ(rig.peer.response(id).status, 200) << i;
  }
  EXPECT_EQ(rig.server.session_ends, 0);
}

TEST(H2AbuseTest, AFieldSectionFarOverItsLimitEndsTheConnectionInsideOfIt) {
  H2Rig rig;
  std::string fields = h2::block(h2::get()) + h2::field("x", std::string(3900, 'v'), true);
  for (int i = 0; i < 12'000; ++i) fields += h2::hpack_index(62);
  rig.raw(h2::opening() + h2::frame(h2::kHeaders, h2::kEndStream | h2::kEndHeaders, 1, fields));
  EXPECT_EQ(rig.server.session_ends, 1);
  EXPECT_TRUE(rig.server.exchanges.empty());
  EXPECT_TRUE(rig.server.refused.empty());
}

}  // namespace
}  // namespace weir::codec
