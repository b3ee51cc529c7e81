#include "dataplane/limits.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "dataplane/options.h"

namespace weir {
namespace {

// A tree of /proc and /sys files.
struct Root {
  explicit Root(const std::vector<std::pair<std::string, std::string>>& files) {
    path =
        std::filesystem::path(::testing::TempDir()) / ("weir_root_" + std::to_string(::getpid()));
    for (const auto& [name, text] : files) {
      std::filesystem::create_directories((path / name).parent_path());
      std::ofstream(path / name) << text << "\n";
    }
  }
  ~Root() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

TEST(Limits, ReadTheCgroupOfEitherVersion) {
  const unsigned cpus = std::max(1U, std::thread::hardware_concurrency());
  using Files = std::vector<std::pair<std::string, std::string>>;
  struct Case {
    std::string_view name;
    Files files;
    unsigned workers;
    std::uint64_t memory;  // 0: the machine's
  };
  const Files none;
  for (const Case& c :
       {Case{"v2 in a container",
             {{"proc/self/cgroup", "0::/"},
              {"sys/fs/cgroup/cpu.max", "150000 100000"},
              {"sys/fs/cgroup/memory.max", "1048576"}},
             2,
             1'048'576},
        Case{"v2 with a path",
             {{"proc/self/cgroup", "0::/pod/a"},
              {"sys/fs/cgroup/pod/a/cpu.max", "50000 100000"},
              {"sys/fs/cgroup/pod/a/memory.max", "max"}},
             1,
             0},
        Case{"v2 without a quota",
             {{"proc/self/cgroup", "0::/"}, {"sys/fs/cgroup/cpu.max", "max 100000"}},
             cpus,
             0},
        Case{"v1",
             {{"proc/self/cgroup", "4:memory:/p\n3:cpu,cpuacct:/p"},
              {"sys/fs/cgroup/cpu/p/cpu.cfs_quota_us", "310000"},
              {"sys/fs/cgroup/cpu/p/cpu.cfs_period_us", "100000"},
              {"sys/fs/cgroup/memory/p/memory.limit_in_bytes", "2097152"}},
             4,
             2'097'152},
        Case{"v1 without limits",
             {{"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1"},
              {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000"},
              {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712"}},
             cpus,
             0},
        Case{"nothing there", none, cpus, 0}}) {
    SCOPED_TRACE(c.name);
    const Root root(c.files);
    EXPECT_EQ(cpu_quota(root.path.string()), c.workers);
    if (c.memory != 0) {
      EXPECT_EQ(memory_limit(root.path.string()), c.memory);
    } else {
      EXPECT_GT(memory_limit(root.path.string()), 64U * 1024 * 1024);
    }
  }
}

TEST(Options, TakeFlagsAndNameWhatIsWrong) {
  const auto good =
      parse_options({"--workers", "3", "--drain-timeout=10s", "--shutdown-delay=250ms",
                     "--memory-limit=1000", "--log-level=warn", "--admin-port", "9"});
  ASSERT_TRUE(good.ok()) << good.error().text;
  EXPECT_EQ(good.value().workers, 3U);
  EXPECT_EQ(good.value().drain_timeout, std::chrono::seconds(10));
  EXPECT_EQ(good.value().shutdown_delay, std::chrono::milliseconds(250));
  EXPECT_EQ(good.value().memory_limit, 1'000U);
  EXPECT_EQ(good.value().admin_port, 9);
  EXPECT_FALSE(good.value().worker);
  for (const auto& [flag, part] :
       std::vector<std::pair<std::string, std::string>>{{"--workers=-1", "--workers"},
                                                        {"--drain-timeout=x", "--drain-timeout"},
                                                        {"--memory-limit=1G", "1G"},
                                                        {"--log-level=loud", "loud"}}) {
    const auto bad = parse_options({flag});
    ASSERT_FALSE(bad.ok()) << flag;
    EXPECT_NE(bad.error().text.find(part), std::string::npos) << bad.error().text;
  }
  EXPECT_GE(parse_options({}).value().workers, 1U);
}

}  // namespace
}  // namespace weir
