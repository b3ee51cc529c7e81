#include "controller/status/settings_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::status {
namespace {

using store::Condition;
using ::testing::HasSubstr;

store::WeirSettings object_with(std::vector<Condition> conditions) {
  store::WeirSettings out;
  out.key = {store::Kind::kWeirSettings, "weir", "main"};
  out.generation = 4;
  out.conditions = std::move(conditions);
  return out;
}

translate::Report report(translate::Severity severity, const std::string& field) {
  return {.object = {store::Kind::kWeirSettings, "weir", "main"},
          .severity = severity,
          .reason = "InvalidSetting",
          .field = field,
          .value = "0",
          .text = "accepted: more"};
}

TEST(SettingsConditions, SayOfThisGenerationWhatIsAcceptedAndLive) {
  const auto got = settings_conditions(object_with({}),
                                       {.reports = {}, .programmed = true, .refused = ""}, "now");
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].type + " " + got[0].status + " " + got[0].reason, "Accepted True Accepted");
  EXPECT_EQ(got[1].type + " " + got[1].status + " " + got[1].reason, "Programmed True Programmed");
  for (const Condition& one : got) {
    EXPECT_EQ(one.generation, 4);
    EXPECT_EQ(one.since, "now");
    EXPECT_FALSE(one.message.empty());
  }
}

TEST(SettingsConditions, NameTheFieldsThatAreRefused) {
  const SettingsState state{.reports = {report(translate::Severity::kNote, "metadata.name"),
                                        report(translate::Severity::kWarning, "spec.a"),
                                        report(translate::Severity::kWarning, "spec.b")},
                            .programmed = false,
                            .refused = ""};
  const auto got = settings_conditions(object_with({}), state, "now");
  EXPECT_EQ(got[0].status + " " + got[0].reason, "False FieldsRefused");
  EXPECT_THAT(got[0].message, HasSubstr("spec.a"));
  EXPECT_THAT(got[0].message, HasSubstr("spec.b"));
  EXPECT_EQ(got[0].message.find("metadata.name"), std::string::npos);
  EXPECT_EQ(got[1].status + " " + got[1].reason, "False Pending");
}

TEST(SettingsConditions, WhatTheDataplaneRefusesIsNotProgrammed) {
  const auto got = settings_conditions(object_with({}),
                                       {.reports = {}, .programmed = true, .refused = "no"}, "now");
  EXPECT_EQ(got[1].status + " " + got[1].reason, "False RefusedByDataplane");
  EXPECT_EQ(got[1].message, "no");
}

TEST(SettingsConditions, KeepTheirTimeWhileTheStatusIsTheSame) {
  const store::WeirSettings object =
      object_with({{"Programmed", "True", "Programmed", "", 3, "then"},
                   {"Accepted", "False", "FieldsRefused", "", 3, "then"}});
  const auto got =
      settings_conditions(object, {.reports = {}, .programmed = true, .refused = ""}, "now");
  EXPECT_EQ(got[0].since, "now");
  EXPECT_EQ(got[1].since, "then");
}

}  // namespace
}  // namespace weir::status
