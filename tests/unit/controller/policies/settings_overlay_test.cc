#include "controller/policies/settings_overlay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controller/policies/setting_rules.h"

namespace weir::policies {
namespace {

using base::Json;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

Json json(std::string_view text) {
  auto parsed = Json::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? std::move(parsed).value() : Json();
}

// Another value than the default, as the object says it and as the settings have it.
template <typename T>
struct Sample {
  Json written;
  T value;
};

Sample<bool> sample(const SettingRule&, bool standard) { return {Json(!standard), !standard}; }
Sample<std::uint32_t> sample(const SettingRule& rule, std::uint32_t standard) {
  const std::int64_t value = rule.most == standard ? rule.least : rule.most;
  return {Json(value), static_cast<std::uint32_t>(value)};
}
Sample<milliseconds> sample(const SettingRule&, milliseconds) {
  return {Json("1234ms"), milliseconds(1'234)};
}
Sample<std::string> sample(const SettingRule& rule, const std::string&) {
  if (rule.form == Form::kCollector)
    return {Json("https://otel.test:4318"), "https://otel.test:4318/v1/traces"};
  return {Json("X-Other"), "X-Other"};
}
Sample<std::vector<std::string>> sample(const SettingRule&, const std::vector<std::string>&) {
  return {json(R"(["192.0.2.1","2001:db8::/32"])"), {"192.0.2.1", "2001:db8::/32"}};
}

// What every field of the field lists goes through: its path there, how it is written under spec,
// the rule, and how to set it.
template <typename Struct, typename Each>
void each_leaf(model::Settings& settings, Struct& part, const std::string& path,
               const std::vector<std::string>& names, Each& each) {
  each_setting<Struct>([&](const auto& field) {
    auto& member = part.*(field.member);
    std::vector<std::string> here = names;
    here.push_back(setting_name(field.name));
    const std::string inner = join_path(path, field.name);
    if constexpr (base::Fielded<std::decay_t<decltype(member)>>) {
      each_leaf(settings, member, inner, here, each);
    } else {
      each(inner, here, member);
    }
  });
}

// {"a":{"b":value}} of the names a and b.
Json nested(const std::vector<std::string>& names, Json value) {
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    Json outer = Json::object();
    outer.set(*name, std::move(value));
    value = std::move(outer);
  }
  return value;
}

std::string text_of(const model::Settings& settings) { return base::encode(settings).to_string(); }

TEST(SettingRules, EveryFieldHasOneAndEachHasItsField) {
  std::vector<std::string> paths;
  model::Settings settings;
  auto note = [&](const std::string& path, const auto&, const auto&) { paths.push_back(path); };
  each_leaf(settings, settings, "", {}, note);
  std::vector<std::string> rules;
  for (const SettingRule& rule : setting_rules()) {
    rules.emplace_back(rule.path);
    EXPECT_FALSE(rule.help.empty()) << rule.path;
    EXPECT_LE(rule.least, rule.most) << rule.path;
  }
  EXPECT_THAT(rules, ::testing::UnorderedElementsAreArray(paths));
}

TEST(SettingRules, DefaultsKeepToThem) {
  EXPECT_FALSE(first_broken_rule(model::Settings()).has_value());
}

TEST(SettingRules, NamesComeFromTheFieldListByOneRule) {
  EXPECT_EQ(setting_name("client_header_timeout_ms"), "clientHeaderTimeout");
  EXPECT_EQ(setting_name("http2"), "http2");
  EXPECT_EQ(setting_name("http2_streams"), "http2Streams");
  EXPECT_EQ(setting_name("sample_per_million"), "samplePerMillion");
}

TEST(SettingRules, TheFirstBrokenOneIsNamedWithValueAndForm) {
  model::Settings settings;
  settings.http2_streams = 70'000;
  const auto broken = first_broken_rule(settings);
  ASSERT_TRUE(broken.has_value());
  EXPECT_EQ(broken->rule->flag, "http2-max-concurrent-streams");
  EXPECT_EQ(broken->value, "70000");
  EXPECT_EQ(broken->accepted, "a number from 1 to 65535");
}

TEST(Overlay, EveryFieldOfTheFieldListArrives) {
  int fields = 0;
  model::Settings want;
  auto set = [&](const std::string& path, const auto& names, auto& member) {
    SCOPED_TRACE(path);
    const auto before = member;
    const auto other = sample(setting_rule(path), member);
    member = other.value;
    ASSERT_NE(text_of(want), text_of(model::Settings())) << "the sample is the default";
    const Overlay got = overlay(nested(names, other.written), model::Settings());
    EXPECT_TRUE(got.refused.empty());
    EXPECT_EQ(text_of(got.settings), text_of(want));
    EXPECT_EQ(overlay(settings_spec(want), model::Settings()).settings, want) << "and back";
    member = before;
    ++fields;
  };
  each_leaf(want, want, "", {}, set);
  EXPECT_EQ(static_cast<std::size_t>(fields), setting_rules().size());
}

TEST(Overlay, EveryFieldOfAnotherTypeIsRefusedAndKeepsTheFlag) {
  model::Settings flags;
  flags.keep_alive_requests = 77;
  flags.tracing.service = "edge";
  model::Settings walk;
  auto check = [&](const std::string& path, const auto& names, auto&) {
    SCOPED_TRACE(path);
    Json spec = nested(names, json(R"({"a":1})"));
    const Overlay got = overlay(spec, flags);
    ASSERT_EQ(got.refused.size(), 1U);
    EXPECT_EQ(got.refused[0].field, "spec." + base::join(names, "."));
    EXPECT_EQ(got.refused[0].value, R"({"a":1})");
    EXPECT_EQ(got.refused[0].reason, "InvalidSetting");
    EXPECT_THAT(got.refused[0].text, HasSubstr("accepted: "));
    EXPECT_EQ(text_of(got.settings), text_of(flags));
  };
  each_leaf(walk, walk, "", {}, check);
}

TEST(Overlay, BoundsAreThoseOfTheRules) {
  for (const SettingRule& rule : setting_rules()) {
    if (rule.path.find('.') != std::string_view::npos) continue;
    const std::string name = setting_name(rule.path);
    if (rule.path.ends_with("_ms")) {
      for (const char* text : {"0s", "25h", "86400001ms", "1", "s", "-1s", "1.5s", " 1s"})
        EXPECT_EQ(overlay(nested({name}, Json(text)), {}).refused.size(), 1U) << name << text;
      EXPECT_EQ(
          overlay(nested({name}, Json(std::to_string(rule.least - 1) + "ms")), {}).refused.size(),
          1U)
          << name;
      for (const std::string& text : {std::to_string(rule.least) + "ms", std::string("24h"),
                                      std::string("86400000ms"), std::string("90m")})
        EXPECT_TRUE(overlay(nested({name}, Json(text)), {}).refused.empty()) << name << text;
      continue;
    }
    if (overlay(nested({name}, Json(true)), {}).refused.empty()) continue;
    EXPECT_TRUE(overlay(nested({name}, Json(rule.least)), {}).refused.empty()) << name;
    EXPECT_TRUE(overlay(nested({name}, Json(rule.most)), {}).refused.empty()) << name;
    EXPECT_EQ(overlay(nested({name}, Json(rule.least - 1)), {}).refused.size(), 1U) << name;
    EXPECT_EQ(overlay(nested({name}, Json(rule.most + 1)), {}).refused.size(), 1U) << name;
  }
}

TEST(Overlay, TextsAndListsAreChecked) {
  const struct {
    std::string_view spec, field;
  } cases[] = {
      {R"({"clientAddress":{"forwardedSources":["10.0.0.0/8","10.0.0.0/33"]}})",
       "spec.clientAddress.forwardedSources"},
      {R"({"clientAddress":{"proxyProtocolSources":["everybody"]}})",
       "spec.clientAddress.proxyProtocolSources"},
      {R"({"clientAddress":{"forwardedForHeader":"X Forwarded"}})",
       "spec.clientAddress.forwardedForHeader"},
      {R"({"clientAddress":{"forwardedForHeader":""}})", "spec.clientAddress.forwardedForHeader"},
      {R"({"tracing":{"collector":"ftp://otel.test"}})", "spec.tracing.collector"},
      {R"({"tracing":{"collector":"http://user@otel.test"}})", "spec.tracing.collector"},
      {R"({"tracing":{"service":""}})", "spec.tracing.service"},
      {R"({"tracing":{"samplePerMillion":1000001}})", "spec.tracing.samplePerMillion"},
      {R"({"tracing":[]})", "spec.tracing"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.spec);
    const Overlay got = overlay(json(c.spec), {});
    ASSERT_EQ(got.refused.size(), 1U);
    EXPECT_EQ(got.refused[0].field, c.field);
    EXPECT_EQ(got.settings, model::Settings());
  }
}

TEST(Overlay, OneBadFieldHarmsOnlyItself) {
  model::Settings flags;
  flags.http2_streams = 50;
  const Overlay got = overlay(
      json(R"({"http2Streams":0,"accessLog":false,"keepAliveTimeout":"2m","nobody":{"x":1}})"),
      flags);
  EXPECT_EQ(got.settings.http2_streams, 50U);
  EXPECT_FALSE(got.settings.access_log);
  EXPECT_EQ(got.settings.keep_alive_timeout, milliseconds(120'000));
  ASSERT_EQ(got.refused.size(), 2U);
  EXPECT_EQ(got.refused[0].value, "0");
  EXPECT_EQ(got.refused[0].text,
            "accepted: a number from 1 to 65535; until it is mended, the flag "
            "--http2-max-concurrent-streams or the default holds");
  EXPECT_EQ(got.refused[1].reason, "UnknownSetting");
  EXPECT_EQ(got.refused[1].field, "spec.nobody");
  EXPECT_THAT(got.refused[1].text, HasSubstr("tlsHandshakeTimeout, clientHeaderTimeout"));
}

TEST(Overlay, WhatIsAbsentOrNullKeepsTheFlag) {
  model::Settings flags;
  flags.access_log = false;
  flags.client_address.forwarded_sources = {"10.0.0.0/8"};
  const Overlay got = overlay(json(R"({"accessLog":null,"clientAddress":{}})"), flags);
  EXPECT_TRUE(got.refused.empty());
  EXPECT_EQ(got.settings, flags);
  EXPECT_TRUE(overlay(json(R"({"clientAddress":{"forwardedSources":[]}})"), flags)
                  .settings.client_address.forwarded_sources.empty())
      << "an empty list is a value: nobody is believed";
}

}  // namespace
}  // namespace weir::policies
