#include "weirctl/overlay_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace weir::weirctl {
namespace {

using kubernetes::KindDescriptor;
using ::testing::ElementsAre;

// A source whose answers the test gives.
class Hand final : public kubernetes::Source {
 public:
  void start(const std::vector<KindDescriptor>&, kubernetes::SourceTarget& target) override {
    to = &target;
  }
  void want(const KindDescriptor&, std::string_view, std::string_view name) override {
    wanted.emplace_back(name);
  }
  void unwant(const KindDescriptor&, std::string_view, std::string_view) override {}
  double seconds_since_contact() const override { return 7; }
  kubernetes::SourceTarget* to = nullptr;
  std::vector<std::string> wanted;
};

class Heard final : public kubernetes::SourceTarget {
 public:
  void on_object(const KindDescriptor&, base::Json object) override {
    told.push_back(object.at_path("metadata", "name").as_string() + " " +
                   object.at_path("metadata", "creationTimestamp").as_string() + " " +
                   object["from"].as_string());
  }
  void on_removed(const KindDescriptor&, std::string_view, std::string_view name) override {
    told.push_back("no " + std::string(name));
  }
  void on_synced(const KindDescriptor& kind) override {
    told.push_back("synced " + std::string(kind.kind));
  }
  void on_problem(const KindDescriptor*, std::string_view object, const base::Error&) override {
    told.push_back("problem " + std::string(object));
  }
  std::vector<std::string> told;
};

base::Json object(const std::string& name, const std::string& from, const std::string& made = "") {
  base::Json metadata = base::Json::object();
  metadata.set("name", name);
  metadata.set("namespace", "shop");
  if (!made.empty()) metadata.set("creationTimestamp", made);
  base::Json out = base::Json::object();
  out.set("metadata", std::move(metadata));
  out.set("from", from);
  return out;
}

class Overlay : public testing::Test {
 protected:
  Overlay() { overlay_.start(kinds_, heard_); }
  const std::vector<KindDescriptor> kinds_{
      {"Ingress", "", "v1", "ingresses"},
      {"Secret", "", "v1", "secrets", true, kubernetes::Fetch::kOnDemand}};
  Hand base_, over_;
  Heard heard_;
  OverlaySource overlay_{base_, over_, 1'800'000'000};
};

TEST_F(Overlay, TheSecondIsReadAfterTheBaseAndKeepsItsTimes) {
  EXPECT_EQ(over_.to, nullptr);
  base_.to->on_object(kinds_[0], object("web", "base", "2024-01-01T00:00:00Z"));
  base_.to->on_synced(kinds_[0]);
  EXPECT_EQ(over_.to, nullptr);
  base_.to->on_synced(kinds_[1]);
  ASSERT_NE(over_.to, nullptr);
  over_.to->on_object(kinds_[0], object("web", "over"));
  over_.to->on_object(kinds_[0], object("new", "over"));
  over_.to->on_synced(kinds_[0]);
  EXPECT_THAT(
      heard_.told,
      ElementsAre("web 2024-01-01T00:00:00Z base", "web 2024-01-01T00:00:00Z over",
                  "new " + base::format_rfc3339(1'800'000'000) + " over", "synced Ingress"));
}

TEST_F(Overlay, WhatIsWantedByNameComesFromTheSecondIfItIsThere) {
  for (const KindDescriptor& kind : kinds_) base_.to->on_synced(kind);
  overlay_.want(kinds_[1], "shop", "tls");
  overlay_.want(kinds_[1], "shop", "old");
  overlay_.want(kinds_[1], "shop", "none");
  EXPECT_THAT(base_.wanted, ElementsAre("tls", "old", "none"));
  over_.to->on_object(kinds_[1], object("tls", "over", "x"));
  over_.to->on_removed(kinds_[1], "shop", "old");
  over_.to->on_removed(kinds_[1], "shop", "none");
  base_.to->on_removed(kinds_[1], "shop", "tls");
  base_.to->on_object(kinds_[1], object("tls", "base", "y"));
  base_.to->on_object(kinds_[1], object("old", "base", "z"));
  base_.to->on_removed(kinds_[1], "shop", "none");
  EXPECT_THAT(heard_.told, ElementsAre("tls " + base::format_rfc3339(1'800'000'000) + " over",
                                       "old z base", "no none"));
}

TEST_F(Overlay, OneObjectOfAKindThatIsFetchedWholeIsWantedOfTheBaseOnly) {
  overlay_.want(kinds_[0], "weir", "main");
  EXPECT_EQ(over_.to, nullptr) << "not started yet";
  EXPECT_THAT(base_.wanted, ElementsAre("main"));
  EXPECT_THAT(over_.wanted, ElementsAre());
}

TEST_F(Overlay, ProblemsOfBothAreHeard) {
  base_.to->on_problem(&kinds_[0], "a", base::invalid("forbidden"));
  base_.to->on_synced(kinds_[0]);
  base_.to->on_synced(kinds_[1]);
  over_.to->on_problem(nullptr, "b.yaml", base::invalid("line 1"));
  EXPECT_THAT(heard_.told, ElementsAre("problem a", "problem b.yaml"));
  EXPECT_EQ(overlay_.seconds_since_contact(), 7);
}

}  // namespace
}  // namespace weir::weirctl
