#include "dataplane/exchange/forwarded.h"

#include <algorithm>

#include "common/base/text.h"
#include "dataplane/exchange/request_id.h"
#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::exchange {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Rewritten {
  codec::Head head;
  bool upgrades = false;
  std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> out;
    head.each([&](const codec::FieldView& f) {
      if (base::equals_ignore_case(f.name, name)) out.emplace_back(f.value);
    });
    return out;
  }
};

void rewrite(Rewritten& out, const Fields& fields, bool tls = false) {
  static RequestIds ids;
  out.head.set_method("GET");
  out.head.set_target("/");
  out.head.set_authority("shop.test:8443");
  for (const auto& [name, value] : fields) out.head.add(name, value);
  out.upgrades = rewrite_request_head(out.head, {"192.0.2.9", 8443, tls}, ids);
}

TEST(RewriteRequestHead, SaysWhatWeKnowWhateverTheClientClaims) {
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"X-Forwarded-For", "192.0.2.9"},
      {"X-Real-IP", "192.0.2.9"},
      {"X-Forwarded-Host", "shop.test:8443"},
      {"X-Forwarded-Port", "8443"},
      {"X-Forwarded-Proto", "https"},
      {"X-Forwarded-Scheme", "https"},
      {"X-Scheme", "https"}};
  for (const auto& [name, value] : wanted) {
    std::string alias = name;
    std::replace(alias.begin(), alias.end(), '-', '_');
    for (const Fields& sent :
         {Fields{}, Fields{{name, "evil"}}, Fields{{alias, "evil"}},
          Fields{{"Connection", name}, {name, "evil"}}, Fields{{name, "evil"}, {name, "twice"}},
          Fields{{base::to_lower(name), "evil"}}}) {
      SCOPED_TRACE(name + (sent.empty() ? "" : " sent as " + sent.back().first));
      Rewritten out;
      rewrite(out, sent, true);
      EXPECT_EQ(out.all(name), std::vector<std::string>{value});
      if (alias != name) {
        EXPECT_TRUE(out.all(alias).empty());
      }
    }
  }
}

TEST(RewriteRequestHead, KeepsWhatTheClientHadSentUnderAnotherName) {
  Rewritten out;
  rewrite(out, {{"X-Forwarded-For", "10.9.9.9"},
                {"X-Forwarded-Host", "inner.test"},
                {"X-Original-Forwarded-For", "forged"},
                {"X_Original_Forwarded_For", "forged"},
                {"X-Original-Forwarded-Host", "forged"}});
  EXPECT_EQ(out.all("X-Original-Forwarded-For"), std::vector<std::string>{"10.9.9.9"});
  EXPECT_EQ(out.all("X-Original-Forwarded-Host"), std::vector<std::string>{"inner.test"});
  EXPECT_TRUE(out.all("X_Original_Forwarded_For").empty());
  Rewritten none;
  rewrite(none, {});
  EXPECT_TRUE(none.all("X-Original-Forwarded-For").empty());
}

TEST(RewriteRequestHead, RemovesWhatMustNotPass) {
  for (const auto& name :
       {"Proxy", "Forwarded", "Connection", "Keep-Alive", "Proxy-Connection", "HTTP2-Settings",
        "Transfer_Encoding", "Content_Length", "Authorization_", "X_Request_ID"}) {
    Rewritten out;
    rewrite(out, {{name, "x"}, {"X-Mine", "kept"}, {"snake_case", "kept"}});
    if (std::string_view(name) != "Authorization_") {
      EXPECT_TRUE(out.all(name).empty()) << name;
    }
    EXPECT_EQ(out.all("X-Mine").size(), 1u);
    EXPECT_EQ(out.all("snake_case").size(), 1u);
  }
}

TEST(RewriteRequestHead, PassesAnUpgradeButNeverH2c) {
  struct Case {
    std::string_view name;
    Fields fields;
    std::vector<std::string> want;
  };
  for (const Case& c : std::vector<Case>{
           {"websocket",
            {{"Connection", "keep-alive, Upgrade"}, {"Upgrade", "websocket"}},
            {"websocket"}},
           {"any token", {{"Connection", "upgrade"}, {"Upgrade", "foo/2"}}, {"foo/2"}},
           {"not named by Connection", {{"Upgrade", "websocket"}}, {}},
           {"h2c", {{"Connection", "Upgrade, HTTP2-Settings"}, {"Upgrade", "h2c"}}, {}},
           {"H2C in a list", {{"Connection", "Upgrade"}, {"Upgrade", "websocket, H2C"}}, {}},
           {"two fields",
            {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Upgrade", "h2c"}},
            {}}}) {
    SCOPED_TRACE(c.name);
    Rewritten out;
    rewrite(out, c.fields);
    EXPECT_EQ(out.all("Upgrade"), c.want);
    EXPECT_EQ(out.upgrades, !c.want.empty());
  }
}

TEST(RewriteRequestHead, NamesTheRequestUnlessTheClientDidWell) {
  for (const auto& [sent, kept] :
       std::vector<std::pair<std::string, bool>>{{"abc-123", true},
                                                 {std::string(128, 'a'), true},
                                                 {std::string(129, 'a'), false},
                                                 {"with space", false},
                                                 {"", false},
                                                 {"quo\"te", false},
                                                 {"uuid=1/2:3", true}}) {
    Rewritten out;
    rewrite(out, {{"X-Request-ID", sent}});
    ASSERT_EQ(out.all("X-Request-ID").size(), 1u);
    if (kept) {
      EXPECT_EQ(out.all("X-Request-ID")[0], sent);
    } else {
      EXPECT_EQ(out.all("X-Request-ID")[0].size(), 32u) << sent;
    }
  }
  Rewritten twice;
  rewrite(twice, {{"X-Request-ID", "a"}, {"X-Request-ID", "b"}});
  ASSERT_EQ(twice.all("X-Request-ID").size(), 1u);
  EXPECT_EQ(twice.all("X-Request-ID")[0].size(), 32u);
}

TEST(RequestIds, AreDifferentHexDigits) {
  RequestIds ids;
  std::map<std::string, int> seen;
  for (int i = 0; i < 10'000; ++i) {
    const auto id = ids.next();
    ++seen[std::string(id.data(), id.size())];
  }
  EXPECT_EQ(seen.size(), 10'000u);
  EXPECT_EQ(seen.begin()->first.find_first_not_of("0123456789abcdef"), std::string::npos);
}

}  // namespace
}  // namespace weir::exchange
