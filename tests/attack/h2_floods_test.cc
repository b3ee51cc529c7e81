// Floods of HTTP/2 frames: each ends within its budget, costs little, and hurts nobody else.

#include <functional>

#include "tests/attack/victim.h"

namespace weir::attack {
namespace {

// How often a flood is repeated at most, and how much is sent with one call.
constexpr int kMost = 1'000'000;
constexpr std::size_t kBatch = 64 * 1024;

// Sends next(i) until the server ends the connection or kMost is reached.
//   returns: how many were made; what the server said last is checked to be ENHANCE_YOUR_CALM.
int flood(h2::Socket& socket, const std::function<std::string(int)>& next) {
  int i = 0;
  while (i < kMost && !socket.over()) {
    std::string batch;
    for (; i < kMost && batch.size() < kBatch; ++i) batch += next(i);
    if (!socket.send(batch)) break;
  }
  EXPECT_TRUE(socket.ends()) << "the connection outlives " << i << " frames";
  return i;
}

// origin: requests that may reach the backend.
void expect_ended(const std::function<std::string(int)>& next, std::size_t origin = 0) {
  Victim victim;
  Polite polite(victim.door());
  const std::size_t before = victim.at_origin();
  h2::Socket socket(victim.port);
  ASSERT_TRUE(socket.send(h2::opening()));
  const int made = flood(socket, next);
  EXPECT_LT(made, kMost / 2);
  victim.expect_small(socket.sent);
  EXPECT_EQ(polite.stop(), 0);
  EXPECT_LE(victim.at_origin() - before, origin + static_cast<std::size_t>(polite.asked()));
  victim.expect_back();
}

std::uint32_t nth(int i) { return static_cast<std::uint32_t>(2 * i + 1); }

TEST(AttackH2, Row10RapidReset) {
  expect_ended([](int i) { return h2::headers(nth(i), h2::get()) + h2::reset(nth(i), 8); }, 400);
}

// The client breaks the rules of a stream so that the server resets it.
TEST(AttackH2, Row10MadeYouReset) {
  expect_ended(
      [](int i) {
        return h2::headers(nth(i), h2::get(), false) + h2::window_update(nth(i), 0x7fffffff);
      },
      400);
}

TEST(AttackH2, Row11ContinuationFlood) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16'000}}) {
    const std::string payload =
        size < 16 ? std::string(size, '\0') : h2::field("x", std::string(15'900, 'v'));
    expect_ended([&payload](int i) {
      if (i == 0) return h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::block(h2::get()));
      return h2::frame(h2::kContinuation, 0, 1, payload);
    });
  }
}

TEST(AttackH2, Row12ControlFrameFloods) {
  const std::pair<const char*, std::function<std::string(int)>> floods[] = {
      {"PING", [](int) { return h2::ping(); }},
      {"SETTINGS", [](int) { return h2::settings(4, 65'535); }},
      {"acknowledged PING", [](int) { return h2::ping(true); }},
      {"PRIORITY",
       [](int i) { return h2::frame(h2::kPriority, 0, nth(i % 50), std::string(5, '\0')); }},
      {"WINDOW_UPDATE", [](int) { return h2::window_update(0, 1); }},
      {"unknown", [](int) { return h2::frame(static_cast<h2::Type>(0x77), 0, 0, "x"); }},
  };
  for (const auto& [name, next] : floods) {
    SCOPED_TRACE(name);
    expect_ended(next);
  }
}

TEST(AttackH2, Row12EmptyDataFlood) {
  expect_ended(
      [](int i) { return i == 0 ? h2::headers(1, h2::get(), false) : h2::frame(h2::kData, 0, 1); },
      1);
}

// One entry of 4,000 bytes in the table, and then a byte for each further copy of it.
TEST(AttackH2, Row13HpackBomb) {
  expect_ended([](int i) {
    std::string fields = h2::block(h2::get());
    if (i == 0) fields += h2::field("x", std::string(4000, 'v'), true);
    for (int n = 0; n < 12'000; ++n) fields += h2::hpack_index(62);
    return h2::frame(h2::kHeaders, h2::kEndStream | h2::kEndHeaders, nth(i), fields);
  });
}

TEST(AttackH2, Row13CookieCrumbs) {
  expect_ended([](int i) {
    std::string fields = h2::block(h2::get());
    if (i == 0) fields += h2::field("cookie", "a", true);
    for (int n = 0; n < 12'000; ++n) fields += h2::hpack_index(62);
    return h2::frame(h2::kHeaders, h2::kEndStream | h2::kEndHeaders, nth(i), fields);
  });
}

// Answers are asked for and no window is given: they are given up in time.
TEST(AttackH2, Row13ZeroWindowStall) {
  Victim victim;
  model::Settings settings;
  settings.client_body_timeout = std::chrono::milliseconds(1000);
  victim.must_push({model::make_resource(settings)});
  h2::Socket socket(victim.port);
  std::string bytes = h2::opening() + h2::settings(4, 0);
  for (int i = 0; i < 50; ++i) bytes += h2::headers(nth(i), h2::get());
  ASSERT_TRUE(socket.send(bytes));
  std::size_t resets = 0;
  EXPECT_TRUE(push::eventually([&] {
    socket.read_for(push::Millis(20));
    resets = 0;
    for (const h2::Frame& frame : h2::split(socket.in)) resets += frame.type == h2::kRstStream;
    return resets == 50 || socket.over();
  })) << resets;
  victim.expect_small(socket.sent);
  victim.expect_back();
}

// Frames that come for streams which are over.
TEST(AttackH2, Row14ZombieStreams) {
  Victim victim;
  for (int round = 0; round < 20; ++round) {
    h2::Socket socket(victim.port);
    socket.send(h2::opening() + h2::headers(1, h2::get(), false) + h2::frame(h2::kData, 0, 1, "x") +
                h2::reset(1, 8) + h2::frame(h2::kData, 0, 1, "late") + h2::window_update(1, 10));
    EXPECT_TRUE(socket.ends());
    const auto frames = h2::split(socket.in);
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames.back().type, h2::kGoaway);
  }
  EXPECT_EQ(victim.get("/").status, 200);
}

// A head that is not whole in time: the connection is told so by GOAWAY, which names no stream of
// it. What drips does not move the deadline.
TEST(AttackH2, Row15HeadsThatComeLateAreToldByGoaway) {
  struct Case {
    const char* name;
    std::string sent;
    std::string drip;
    std::uint32_t code;
  };
  const std::string half = h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::block(h2::get()));
  for (const Case& c : {
           Case{"no END_HEADERS", h2::opening() + half, "", 11},
           Case{"CONTINUATION without end", h2::opening() + half,
                h2::frame(h2::kContinuation, 0, 1, h2::field("x", "1")), 11},
           Case{"half a frame", h2::opening() + half.substr(0, 12), "", 11},
           Case{"a frame that drips", h2::opening() + half.substr(0, 12), half.substr(12, 1), 11},
           Case{"no request at all", h2::opening(), "", 0},
       }) {
    SCOPED_TRACE(c.name);
    Victim victim;
    model::Settings settings;
    settings.client_header_timeout = std::chrono::milliseconds(600);
    victim.must_push({model::make_resource(settings)});
    h2::Socket socket(victim.port);
    ASSERT_TRUE(socket.send(c.sent));
    EXPECT_TRUE(push::eventually([&] {
      socket.read_for(push::Millis(200));
      return socket.over() || (!c.drip.empty() && !socket.send(c.drip));
    }));
    const auto frames = h2::split(socket.in);
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames.back().type, h2::kGoaway);
    EXPECT_EQ(frames.back().payload.substr(0, 8), h2::number(0, 4) + h2::number(c.code, 4));
    EXPECT_EQ(victim.get("/").status, 200);
  }
}

}  // namespace
}  // namespace weir::attack
