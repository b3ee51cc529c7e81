#include "controller/publish/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "controller/publish/own_secrets.h"
#include "tests/unit/controller/publish/world.h"

namespace weir::publish {
namespace {

// A source that says what the test says.
class HandSource final : public kubernetes::Source {
 public:
  void start(const std::vector<kubernetes::KindDescriptor>& kinds,
             kubernetes::SourceTarget& target) override {
    kinds_ = &kinds;
    target_ = &target;
  }
  void want(const kubernetes::KindDescriptor&, std::string_view ns,
            std::string_view name) override {
    wanted.push_back(std::string(ns) + "/" + std::string(name));
  }
  void unwant(const kubernetes::KindDescriptor&, std::string_view ns,
              std::string_view name) override {
    unwanted.push_back(std::string(ns) + "/" + std::string(name));
  }
  double seconds_since_contact() const override { return 0; }

  void put(store::Kind kind, base::Json json) {
    target_->on_object(store::row(kind).descriptor, std::move(json));
  }
  void remove(store::Kind kind, const std::string& ns, const std::string& name) {
    target_->on_removed(store::row(kind).descriptor, ns, name);
  }
  void synced() {
    for (const auto& kind : *kinds_) target_->on_synced(kind);
  }
  std::vector<std::string> wanted;
  std::vector<std::string> unwanted;

 private:
  const std::vector<kubernetes::KindDescriptor>* kinds_ = nullptr;
  kubernetes::SourceTarget* target_ = nullptr;
};

class Heard final : public PipelineTarget {
 public:
  void on_changes(const translate::Engine::Changes& changes) override { runs.push_back(changes); }
  void on_synced() override { synced = true; }
  void on_translated() override { ++translated; }
  bool synced = false;
  int translated = 0;
  std::vector<translate::Engine::Changes> runs;
};

base::Json with_secret(base::Json ingress) {
  base::Json tls = base::Json::parse(R"([{"hosts":["cart.test"],"secretName":"cert"}])").value();
  ingress.find("spec")->set("tls", std::move(tls));
  return ingress;
}

class PipelineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    base::log_start("test", base::LogLevel::kError);
    pipeline.start();
  }
  void spin(int times = 3) {
    for (int i = 0; i < times; ++i) loop.run_once(std::chrono::milliseconds(2));
  }
  void live() {
    source.put(store::Kind::kIngressClass, class_json());
    source.synced();
    spin();
    ASSERT_TRUE(heard.synced);
    heard.runs.clear();
  }

  loop::Loop loop;
  HandSource source;
  ingress::IngressTranslator translator{test_config()};
  Heard heard;
  static Pipeline::Options test_options() {
    Pipeline::Options options;
    options.want_patience = std::chrono::milliseconds(120);
    return options;
  }
  Pipeline pipeline{loop, source, {&translator}, heard, test_options()};
};

TEST_F(PipelineTest, NothingIsHandedOnBeforeEveryKindHasBeenListed) {
  source.put(store::Kind::kIngressClass, class_json());
  source.put(store::Kind::kIngress, ingress_json("cart", "cart.test", "cart"));
  spin();
  EXPECT_FALSE(heard.synced);
  EXPECT_TRUE(heard.runs.empty());
  source.synced();
  spin();
  EXPECT_TRUE(heard.synced);
  ASSERT_EQ(heard.runs.size(), 1U);
  EXPECT_GE(heard.runs[0].upserts.size(), 4U);
}

TEST_F(PipelineTest, TheFirstStateWaitsForSecretsUntilTheyAreFoundOrMissing) {
  source.put(store::Kind::kIngressClass, class_json());
  source.put(store::Kind::kIngress, with_secret(ingress_json("cart", "cart.test", "cart")));
  source.synced();
  spin();
  EXPECT_THAT(source.wanted, ::testing::ElementsAre("shop/cert"));
  EXPECT_FALSE(heard.synced);
  source.remove(store::Kind::kSecret, "shop", "cert");
  spin();
  EXPECT_TRUE(heard.synced);
}

TEST_F(PipelineTest, ASecretThatNobodyAnswersForHoldsTheFirstStateOnlySoLong) {
  source.put(store::Kind::kIngressClass, class_json());
  source.put(store::Kind::kIngress, with_secret(ingress_json("cart", "cart.test", "cart")));
  source.synced();
  for (int i = 0; i < 60 && !heard.synced; ++i) loop.run_once(std::chrono::milliseconds(10));
  EXPECT_TRUE(heard.synced);
}

TEST_F(PipelineTest, AQuietChangeIsHandedOnInTheSameLoopStep) {
  live();
  for (int i = 0; i < 5; ++i) spin();
  std::this_thread::sleep_for(std::chrono::milliseconds(25));
  source.put(store::Kind::kIngress, ingress_json("cart", "cart.test", "cart"));
  loop.run_once(std::chrono::milliseconds(0));
  ASSERT_EQ(heard.runs.size(), 1U);
}

TEST_F(PipelineTest, CheapChangesInARowDoNotWaitForEachOther) {
  live();
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(8));
    source.put(store::Kind::kIngress, ingress_json("cart", "cart.test", "s" + std::to_string(i)));
    loop.run_once(std::chrono::milliseconds(0));
  }
  EXPECT_GE(heard.runs.size(), 15U)
      << "a run of well under 2 ms is followed by a rest of under 8 ms";
}

// A burst with a rest so long that only the ceiling counts.
TEST(PipelineBurst, IsHandedOnAtTheCeilingAndNotEventByEvent) {
  loop::Loop loop;
  HandSource source;
  ingress::IngressTranslator translator{test_config()};
  Heard heard;
  Pipeline::Options options;
  options.rest = 1'000'000;
  Pipeline pipeline(loop, source, {&translator}, heard, options);
  pipeline.start();
  source.put(store::Kind::kIngressClass, class_json());
  source.synced();
  for (int i = 0; i < 20; ++i) loop.run_once(std::chrono::milliseconds(2));
  ASSERT_TRUE(heard.synced);
  heard.runs.clear();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 40; ++i) {
    const std::string name = "n" + std::to_string(i);
    source.put(store::Kind::kIngress, ingress_json(name, name + ".test", "cart"));
    loop.run_once(std::chrono::milliseconds(1));
  }
  for (int i = 0; i < 20; ++i) loop.run_once(std::chrono::milliseconds(5));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LE(heard.runs.size(), static_cast<std::size_t>(took / std::chrono::milliseconds(20)) + 2);
  std::size_t routes = 0;
  for (const auto& run : heard.runs) {
    for (const auto& resource : run.upserts) {
      routes += resource->key.type == model::ResourceType::kRoute ? 1 : 0;
    }
  }
  EXPECT_GE(routes, 40U);
}

TEST_F(PipelineTest, ABadObjectIsReportedAndHarmsOnlyItself) {
  live();
  base::Json bad = ingress_json("bad", "bad.test", "cart");
  bad.find("spec")->set("rules", base::Json("not a list"));
  source.put(store::Kind::kIngress, std::move(bad));
  source.put(store::Kind::kIngress, ingress_json("good", "good.test", "cart"));
  for (int i = 0; i < 20; ++i) loop.run_once(std::chrono::milliseconds(5));
  const auto reports = pipeline.reports_of({store::Kind::kIngress, "shop", "bad"});
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].reason, "ObjectInvalid");
  EXPECT_THAT(reports[0].text, ::testing::HasSubstr("rules"));
  EXPECT_FALSE(pipeline.engine().resources_of({store::Kind::kIngress, "shop", "good"}).empty());
  source.put(store::Kind::kIngress, ingress_json("bad", "bad.test", "cart"));
  for (int i = 0; i < 20; ++i) loop.run_once(std::chrono::milliseconds(5));
  for (const translate::Report& report : pipeline.reports()) {
    EXPECT_NE(report.reason, "ObjectInvalid");
  }
}

TEST_F(PipelineTest, ASecretThatNoUnitReadsAnyMoreIsGivenUp) {
  live();
  source.put(store::Kind::kIngress, with_secret(ingress_json("cart", "cart.test", "cart")));
  for (int i = 0; i < 20; ++i) loop.run_once(std::chrono::milliseconds(5));
  source.remove(store::Kind::kIngress, "shop", "cart");
  for (int i = 0; i < 20; ++i) loop.run_once(std::chrono::milliseconds(5));
  EXPECT_THAT(source.unwanted, ::testing::ElementsAre("shop/cert"));
}

TEST_F(PipelineTest, ItSaysThatAllIsTranslatedAlsoWhenNothingCameOfIt) {
  EXPECT_FALSE(pipeline.settled());
  live();
  EXPECT_TRUE(pipeline.settled());
  const int before = heard.translated;
  EXPECT_GT(before, 0);
  base::Json foreign = ingress_json("cart", "cart.test", "cart");
  foreign.find("spec")->set("ingressClassName", "another");
  source.put(store::Kind::kIngress, foreign);
  EXPECT_FALSE(pipeline.settled());
  for (int i = 0; i < 20; ++i) loop.run_once(std::chrono::milliseconds(5));
  EXPECT_TRUE(pipeline.settled());
  EXPECT_GT(heard.translated, before);
}

TEST_F(PipelineTest, ARebuiltUnitTakesWhatTheTranslatorWasGiven) {
  live();
  const auto first = make_default_certificate(1'800'000'000);
  const auto second = make_default_certificate(1'800'000'000);
  for (const auto* made : {&first, &second}) {
    ASSERT_TRUE(made->ok());
    translator.set_default_certificate(made->value());
    pipeline.rebuild(ingress::IngressTranslator::global_unit());
    for (int i = 0; i < 20; ++i) loop.run_once(std::chrono::milliseconds(5));
    const auto found = pipeline.engine().resources().find(made->value()->key);
    ASSERT_NE(found, pipeline.engine().resources().end());
    EXPECT_EQ(found->second->hash, made->value()->hash);
  }
  EXPECT_NE(first.value()->hash, second.value()->hash);
}

}  // namespace
}  // namespace weir::publish
