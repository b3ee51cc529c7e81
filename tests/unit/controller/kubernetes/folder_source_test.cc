#include "controller/kubernetes/folder_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/controller/kubernetes/recording_target.h"

namespace weir::kubernetes {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string service(std::string_view name, std::string_view mark = "1") {
  return "apiVersion: v1\nkind: Service\nmetadata:\n  name: " + std::string(name) +
         "\nspec:\n  mark: '" + std::string(mark) + "'\n";
}

class FolderSourceTest : public testing::Test {
 protected:
  FolderSourceTest() {
    std::string pattern = (fs::temp_directory_path() / "weir-folder-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~FolderSourceTest() override { fs::remove_all(folder_); }

  void write(const std::string& path, const std::string& text) {
    std::ofstream(folder_ / path) << text;
  }
  void start(FolderGrace grace = {}) {
    source_ = std::make_unique<FolderSource>(loop_, folder_.string(), grace);
    source_->start(test_kinds(), target_);
    ASSERT_TRUE(target_.calls.empty());
    ASSERT_TRUE(run_until(loop_, [this] { return target_.synced.size() == test_kinds().size(); }));
    target_.calls.clear();
  }
  bool until(const std::function<bool()>& condition) { return run_until(loop_, condition); }
  std::string mark(const std::string& key) {
    return target_.objects[key].at_path("spec", "mark").as_string();
  }

  fs::path folder_;
  loop::Loop loop_;
  RecordingTarget target_;
  std::unique_ptr<FolderSource> source_;
};

TEST_F(FolderSourceTest, HandsOutWhatIsThereAndThenEachChange) {
  fs::create_directories(folder_ / "deep/er");
  write("a.yaml", service("a") + "---\n" + service("b"));
  write("deep/er/c.yml", service("c"));
  write("d.json", R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"d"}})");
  write("notes.txt", "no manifest");
  write(".hidden.yaml", service("hidden"));
  start();
  EXPECT_EQ(target_.objects.size(), 4U);

  write("a.yaml", service("a", "2") + "---\n" + service("b"));
  ASSERT_TRUE(until([&] { return mark("Service default/a") == "2"; }));
  EXPECT_EQ(target_.calls, std::vector<std::string>{"object Service default/a"});

  target_.calls.clear();
  write("a.yaml", service("b"));
  ASSERT_TRUE(until([&] { return target_.objects.size() == 3; }));
  EXPECT_EQ(target_.calls, std::vector<std::string>{"removed Service default/a"});

  fs::remove(folder_ / "d.json");
  ASSERT_TRUE(until([&] { return !target_.objects.contains("Service default/d"); }));
  EXPECT_EQ(target_.synced["Service"], 1);
}

TEST_F(FolderSourceTest, FollowsFoldersThatAppearMoveAndVanish) {
  start();
  fs::create_directories(folder_ / "x/y");
  write("x/y/a.yaml", service("a"));
  ASSERT_TRUE(until([&] { return target_.objects.contains("Service default/a"); }));
  fs::rename(folder_ / "x", folder_ / "z");
  run_for(loop_, milliseconds(60));
  EXPECT_TRUE(target_.objects.contains("Service default/a"));
  write("z/y/a.yaml", service("a", "moved"));
  ASSERT_TRUE(until([&] { return mark("Service default/a") == "moved"; }));
  fs::remove_all(folder_ / "z");
  EXPECT_TRUE(until([&] { return target_.objects.empty(); }));
}

TEST_F(FolderSourceTest, ReplacingAFileTheWaysThatEditorsDoNeverRemovesItsObjects) {
  write("a.yaml", service("a"));
  start();
  const auto replaced = [&](const std::string& to) {
    EXPECT_TRUE(until([&] { return mark("Service default/a") == to; })) << to;
    run_for(loop_, milliseconds(30));
  };
  write(".a.yaml.tmp", service("a", "rename"));
  fs::rename(folder_ / ".a.yaml.tmp", folder_ / "a.yaml");
  replaced("rename");
  fs::rename(folder_ / "a.yaml", folder_ / "a.yaml~");
  run_for(loop_, milliseconds(50));
  write("a.yaml", service("a", "backup"));
  replaced("backup");
  fs::remove(folder_ / "a.yaml");
  write("a.yaml", service("a", "unlink"));
  replaced("unlink");
  fs::rename(folder_ / "a.yaml", folder_ / "b.yaml");
  run_for(loop_, milliseconds(50));
  for (const std::string& call : target_.calls) EXPECT_EQ(call, "object Service default/a");
  EXPECT_TRUE(target_.problems.empty());
}

TEST_F(FolderSourceTest, FollowsTheSwapOfAMountedConfigMap) {
  fs::create_directory(folder_ / "..v1");
  write("..v1/a.yaml", service("a"));
  fs::create_directory_symlink("..v1", folder_ / "..data");
  fs::create_symlink("..data/a.yaml", folder_ / "a.yaml");
  start();
  ASSERT_TRUE(target_.objects.contains("Service default/a"));
  fs::create_directory(folder_ / "..v2");
  write("..v2/a.yaml", service("a", "2"));
  fs::create_directory_symlink("..v2", folder_ / "..data_tmp");
  fs::rename(folder_ / "..data_tmp", folder_ / "..data");
  EXPECT_TRUE(until([&] { return mark("Service default/a") == "2"; }));
  EXPECT_EQ(target_.calls, std::vector<std::string>{"object Service default/a"});
}

TEST_F(FolderSourceTest, ABrokenFileKeepsItsLastGoodObjectsAndSaysWhere) {
  write("a.yaml", service("a") + "---\n" + service("b"));
  start();
  write("a.yaml", "apiVersion: v1\nkind: [Service\n");
  ASSERT_TRUE(until([&] { return target_.problems.contains("a.yaml"); }));
  EXPECT_TRUE(target_.problems["a.yaml"].starts_with("a.yaml:")) << target_.problems["a.yaml"];
  EXPECT_EQ(target_.objects.size(), 2U);
  write("a.yaml",
        service("a", "2") +
            "---\n{apiVersion: v1, kind: Service, metadata: {name: b, labels: {x: 1}}}\n");
  ASSERT_TRUE(until([&] { return mark("Service default/a") == "2"; }));
  EXPECT_NE(target_.problems["a.yaml"].find("metadata.labels[x]"), std::string::npos);
  EXPECT_TRUE(target_.objects.contains("Service default/b"));
  write("a.yaml", service("a", "3"));
  ASSERT_TRUE(until([&] { return mark("Service default/a") == "3"; }));
  EXPECT_TRUE(target_.problems.empty());
  EXPECT_FALSE(target_.objects.contains("Service default/b"));
}

TEST_F(FolderSourceTest, OfTwoFilesWithOneObjectTheFirstByPathCounts) {
  write("b.yaml", service("a", "b"));
  start();
  write("c.yaml", service("a", "c"));
  ASSERT_TRUE(until([&] { return target_.problems.contains("Service default/a"); }));
  EXPECT_EQ(target_.problems["Service default/a"],
            "Service default/a stands in b.yaml:1 and in c.yaml:1; the first file by name counts");
  EXPECT_EQ(mark("Service default/a"), "b");
  write("a.yaml", service("a", "a"));
  ASSERT_TRUE(until([&] { return mark("Service default/a") == "a"; }));
  fs::remove(folder_ / "a.yaml");
  fs::remove(folder_ / "b.yaml");
  ASSERT_TRUE(until([&] { return mark("Service default/a") == "c"; }));
  EXPECT_TRUE(until([&] { return target_.problems.empty(); }));
}

TEST_F(FolderSourceTest, HandsOutOnDemandKindsOnlyWhileTheyAreWanted) {
  const KindDescriptor& secret = test_kind("Secret");
  const auto text = [](std::string_view value) {
    return "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: n}, stringData: {k: " +
           std::string(value) + "}}";
  };
  write("s.yaml", text("one"));
  start();
  EXPECT_TRUE(target_.objects.empty());
  source_->want(secret, "n", "s");
  source_->want(secret, "n", "s");
  source_->want(secret, "n", "absent");
  EXPECT_TRUE(target_.calls.empty());
  ASSERT_TRUE(until([&] { return target_.objects.contains("Secret n/s"); }));
  EXPECT_EQ(target_.calls,
            (std::vector<std::string>{"object Secret n/s", "removed Secret n/absent"}));
  source_->unwant(secret, "n", "s");
  write("s.yaml", text("two"));
  ASSERT_TRUE(until([&] { return target_.calls.size() == 3; }));
  source_->unwant(secret, "n", "s");
  write("s.yaml", text("three"));
  run_for(loop_, milliseconds(30));
  EXPECT_EQ(target_.calls.size(), 3U);
  source_->want(secret, "n", "s");
  ASSERT_TRUE(until([&] { return target_.calls.size() == 4; }));
  fs::remove(folder_ / "s.yaml");
  ASSERT_TRUE(until([&] { return target_.calls.back() == "removed Secret n/s"; }));
}

TEST_F(FolderSourceTest, AFolderThatIsAwayIsReportedAndRemovesNothing) {
  const fs::path away = folder_.string() + ".away";
  write("a.yaml", service("a"));
  start();
  fs::rename(folder_, away);
  ASSERT_TRUE(until([&] { return target_.problems.contains(folder_.string()); }));
  run_for(loop_, milliseconds(50));
  EXPECT_TRUE(target_.objects.contains("Service default/a"));
  EXPECT_GT(source_->seconds_since_contact(), 0.0);
  fs::rename(away, folder_);
  ASSERT_TRUE(until([&] { return target_.problems.empty(); }));
  write("a.yaml", service("a", "2"));
  EXPECT_TRUE(until([&] { return mark("Service default/a") == "2"; }));
}

TEST_F(FolderSourceTest, OneChangeAmongFiveThousandFilesIsHandedOutInMilliseconds) {
  constexpr int kFiles = 5000;
  for (int i = 0; i < kFiles; ++i)
    write("s" + std::to_string(i) + ".yaml", service("s" + std::to_string(i)));
  start();
  ASSERT_EQ(target_.objects.size(), static_cast<std::size_t>(kFiles));
  std::vector<double> took;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "s" + std::to_string(i * 97);
    const auto begin = std::chrono::steady_clock::now();
    write(name + ".yaml", service(name, "new"));
    ASSERT_TRUE(until([&] { return mark("Service default/" + name) == "new"; }));
    took.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  EXPECT_EQ(target_.calls.size(), took.size());
  std::sort(took.begin(), took.end());
  RecordProperty("median_ms", std::to_string(took[took.size() / 2]));
  std::cout << "median " << took[took.size() / 2] << " ms, worst " << took.back() << " ms\n";
  EXPECT_LT(took[took.size() / 2], 10.0);
}

}  // namespace
}  // namespace weir::kubernetes
