// Row 24: who a client is, is said by nobody but trusted sources, in whatever spelling.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;

constexpr const char* kProxyHeader = "PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n";
const std::string kProxyHeader2(
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\xc6\x33\x64\x01\x12\x67\x01\xbb", 28);

struct Spoof {
  const char* name;
  const char* value;
};
constexpr Spoof kSpoofs[] = {{"X-Forwarded-For", "6.6.6.6"},
                             {"X-Real-IP", "6.6.6.6"},
                             {"X-Forwarded-Host", "evil.test"},
                             {"X-Forwarded-Port", "99999"},
                             {"X-Forwarded-Proto", "https"},
                             {"X-Forwarded-Scheme", "https"},
                             {"X-Scheme", "https"},
                             {"X-Original-Forwarded-For", "6.6.6.6"},
                             {"X-Original-Forwarded-Host", "evil.test"},
                             {"Forwarded", "for=6.6.6.6;host=evil.test;proto=https"},
                             {"Proxy", "http://evil.test"}};

std::vector<std::string> spellings(const std::string& name) {
  std::string low = name;
  std::transform(low.begin(), low.end(), low.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string under = name;
  std::replace(under.begin(), under.end(), '-', '_');
  std::string mixed = name;
  if (const auto dash = mixed.find('-'); dash != std::string::npos) mixed[dash] = '_';
  std::vector<std::string> out = {name, low, under, mixed};
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Lines of the head that the backend got whose name, '_' read as '-', is this.
std::vector<std::string> lines_like(const std::string& request, std::string name) {
  const auto plain = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
      return c == '_' ? '-' : static_cast<char>(std::tolower(c));
    });
    return text;
  };
  name = plain(name) + ":";
  std::vector<std::string> out;
  for (std::size_t at = request.find("\r\n"); at != std::string::npos;) {
    const std::size_t end = request.find("\r\n", at + 2);
    if (end == std::string::npos || end == at + 2) break;
    const std::string line = request.substr(at + 2, end - at - 2);
    if (plain(line).starts_with(name)) out.push_back(line);
    at = end;
  }
  return out;
}

model::Settings trusting(const std::vector<std::string>& sources) {
  model::Settings settings;
  settings.client_address.use_forwarded_headers = true;
  settings.client_address.forwarded_sources = sources;
  return settings;
}

TEST(Row24Spoofing, NoSpellingOfAStrangerReachesTheBackend) {
  Stage stage;
  // Off, and on for others.
  for (const model::Settings& settings : {model::Settings(), trusting({"10.0.0.0/8"})}) {
    stage.must_push({make_resource(settings)});
    for (const Spoof& spoof : kSpoofs) {
      for (const std::string& name : spellings(spoof.name)) {
        SCOPED_TRACE(name);
        const std::string line = name + ": " + spoof.value + "\r\n";
        ASSERT_EQ(stage.get("/", line + line).status, 200);
        const std::string got = stage.aa.last();
        // What the client had sent stands only in our own X-Original fields, and only from the
        // plain spelling.
        for (const std::string& one : lines_like(got, spoof.name)) {
          EXPECT_EQ(one.find(spoof.value), std::string::npos) << one;
        }
        EXPECT_LE(lines_like(got, spoof.name).size(), 1U);
        EXPECT_EQ(field_of(got, "X-Real-IP"), "127.0.0.1");
        EXPECT_EQ(field_of(got, "X-Forwarded-For"), "127.0.0.1");
        EXPECT_EQ(field_of(got, "X-Forwarded-Proto"), "http");
        EXPECT_EQ(field_of(got, "X-Forwarded-Host"), "a.test");
        EXPECT_EQ(field_of(got, "X-Forwarded-Port"), std::to_string(stage.port));
      }
    }
  }
  EXPECT_EQ(stage.dataplane.access_log().find("6.6.6.6"), std::string::npos);
}

TEST(Row24Spoofing, ATrustedSourceIsBelievedInThePlainSpellingOnly) {
  Stage stage;
  stage.must_push({make_resource(trusting({"127.0.0.0/8", "10.0.0.0/8"}))});
  ASSERT_EQ(stage
                .get("/",
                     "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.2.3\r\n"
                     "X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\n"
                     "X-Forwarded-Port: 8443\r\nX-Real-IP: 6.6.6.6\r\n"
                     "X_Forwarded_For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n")
                .status,
            200);
  const std::string got = stage.aa.last();
  // The walk ends at the first address from the right that is no trusted source.
  EXPECT_EQ(field_of(got, "X-Real-IP"), "203.0.113.9");
  EXPECT_EQ(field_of(got, "X-Forwarded-For"), "203.0.113.9");
  EXPECT_EQ(field_of(got, "X-Forwarded-Proto"), "https");
  EXPECT_EQ(field_of(got, "X-Scheme"), "https");
  EXPECT_EQ(field_of(got, "X-Forwarded-Host"), "shop.test");
  EXPECT_EQ(field_of(got, "X-Forwarded-Port"), "8443");
  EXPECT_EQ(lines_like(got, "X-Forwarded-For").size(), 1U);
  EXPECT_TRUE(lines_like(got, "Forwarded").empty());
  EXPECT_TRUE(eventually([&] {
    return stage.dataplane.access_log().find("\"client\":\"203.0.113.9\"") != std::string::npos;
  }));
}

TEST(Row24Spoofing, WhatATrustedSourceSaysTwiceOrBrokenDoesNotCount) {
  Stage stage;
  stage.must_push({make_resource(trusting({"127.0.0.1"}))});
  struct Case {
    const char* lines;
    const char* field;
    const char* want;
  };
  for (const Case& one :
       {Case{"X-Forwarded-For: nonsense\r\n", "X-Real-IP", "127.0.0.1"},
        Case{"X-Forwarded-For: 203.0.113.9, unknown\r\n", "X-Real-IP", "127.0.0.1"},
        Case{"X-Forwarded-For: 203.0.113.9:4711\r\n", "X-Real-IP", "203.0.113.9"},
        Case{"X-Forwarded-For: [2001:db8::9]:4711\r\n", "X-Real-IP", "2001:db8::9"},
        Case{"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\n", "X-Real-IP",
             "203.0.113.9"},
        Case{"X-Forwarded-For: \r\n", "X-Real-IP", "127.0.0.1"},
        Case{"X-Forwarded-Proto: gopher\r\n", "X-Forwarded-Proto", "http"},
        Case{"X-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\n", "X-Forwarded-Proto",
             "http"},
        Case{"X-Forwarded-Host: a.test/../evil\r\n", "X-Forwarded-Host", "a.test"}}) {
    ASSERT_EQ(stage.get("/", one.lines).status, 200) << one.lines;
    EXPECT_EQ(field_of(stage.aa.last(), one.field), one.want) << one.lines;
  }
  stage.get("/", "X-Forwarded-Port: 70000\r\n");
  EXPECT_EQ(field_of(stage.aa.last(), "X-Forwarded-Port"), std::to_string(stage.port));
}

TEST(Row24Spoofing, TheChosenFieldNamesTheClientAndGoesWhenAStrangerSendsIt) {
  Stage stage;
  model::Settings settings = trusting({"127.0.0.1"});
  settings.client_address.forwarded_for_header = "CF-Connecting-IP";
  settings.client_address.append_forwarded_for = true;
  stage.must_push({make_resource(settings)});
  stage.get("/", "CF-Connecting-IP: 203.0.113.9\r\nX-Forwarded-For: 198.51.100.7\r\n");
  EXPECT_EQ(field_of(stage.aa.last(), "X-Real-IP"), "203.0.113.9");
  EXPECT_EQ(field_of(stage.aa.last(), "X-Forwarded-For"), "198.51.100.7, 127.0.0.1");
  EXPECT_EQ(field_of(stage.aa.last(), "CF-Connecting-IP"), "203.0.113.9");
  settings.client_address.forwarded_sources = {"10.0.0.1"};
  stage.must_push({make_resource(settings)});
  for (const std::string& name : spellings("CF-Connecting-IP")) {
    stage.get("/", name + ": 6.6.6.6\r\n");
    EXPECT_TRUE(lines_like(stage.aa.last(), "CF-Connecting-IP").empty()) << name;
    EXPECT_EQ(field_of(stage.aa.last(), "X-Real-IP"), "127.0.0.1");
  }
}

// listener with PROXY protocol x trusted source x what is sent first
TEST(Row24Spoofing, AProxyHeaderCountsFromATrustedSourceAndFromNobodyElse) {
  Stage stage;
  for (const bool on : {false, true}) {
    for (const bool trusted : {false, true}) {
      model::Settings settings;
      settings.client_address.proxy_protocol_sources = {trusted ? "127.0.0.0/8" : "10.0.0.0/8"};
      stage.listener.proxy_protocol = on;
      stage.must_push({make_resource(settings), make_resource(stage.listener)});
      for (const std::string& first : {std::string(), std::string(kProxyHeader), kProxyHeader2}) {
        SCOPED_TRACE((on ? "on " : "off ") + std::string(trusted ? "trusted " : "stranger ") +
                     first);
        Client client(stage.door());
        client.send(first);
        const Answer answer = client.get("/", "a.test");
        if (first.empty() ? on && trusted : !(on && trusted)) {
          EXPECT_NE(answer.status, 200) << "refused";
          continue;
        }
        EXPECT_EQ(answer.status, 200);
        const char* want = first.empty() ? "127.0.0.1" : "203.0.113.9";
        EXPECT_EQ(field_of(stage.aa.last(), "X-Real-IP"), want);
        EXPECT_EQ(field_of(stage.aa.last(), "X-Forwarded-For"), want);
      }
    }
  }
}

TEST(Row24Spoofing, TheCapPerAddressCountsTheClientBehindTheRelay) {
  Stage stage;
  model::Settings settings;
  settings.client_address.proxy_protocol_sources = {"127.0.0.1"};
  settings.connections_per_address = 2;
  stage.listener.proxy_protocol = true;
  stage.must_push({make_resource(settings), make_resource(stage.listener)});
  std::vector<Client> clients;
  const auto ask = [&](const std::string& address) {
    clients.emplace_back(stage.door());
    clients.back().send("PROXY TCP4 " + address + " 198.51.100.1 1 2\r\n");
    return clients.back().get("/", "a.test").status;
  };
  EXPECT_EQ(ask("203.0.113.1"), 200);
  EXPECT_EQ(ask("203.0.113.1"), 200);
  EXPECT_NE(ask("203.0.113.1"), 200) << "a third of one client";
  EXPECT_EQ(ask("203.0.113.2"), 200);
  EXPECT_EQ(ask("203.0.113.3"), 200) << "the relay itself has no cap";
}

TEST(Row24Spoofing, AHeaderThatDoesNotEndIsRefusedAtItsDeadline) {
  Stage stage;
  model::Settings settings;
  settings.client_address.proxy_protocol_sources = {"127.0.0.1"};
  settings.client_address.proxy_protocol_timeout = Millis(200);
  stage.listener.proxy_protocol = true;
  stage.must_push({make_resource(settings), make_resource(stage.listener)});
  for (const std::string& first :
       {std::string(), std::string("PROXY TCP4 203.0"), kProxyHeader2.substr(0, 20)}) {
    Client client(stage.door());
    client.send(first);
    EXPECT_TRUE(client.ends()) << first;
  }
}

}  // namespace
}  // namespace weir::push
