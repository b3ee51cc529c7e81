// The e2e tests: a real etcd and kube-apiserver in a network namespace that this program enters, so
// that Weir, its backends and its clients are all in it. Needs root.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

std::string folder;

int fail(const std::string& text) {
  std::fprintf(stderr, "e2e: %s\n", text.c_str());
  return 1;
}

bool script(const std::string& name, const std::string& rest) {
  const std::string command = "bash " WEIR_SOURCE_DIR "/e2e/cluster/" + name + " " + rest;
  return std::system(command.c_str()) == 0;
}

bool enter_namespace() {
  std::string name;
  std::getline(std::ifstream(folder + "/netns"), name);
  const base::UniqueFd fd(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  return fd.valid() && ::setns(fd.get(), CLONE_NEWNET) == 0;
}

int run() {
  if (::geteuid() != 0) return fail("a network namespace needs root: run it as root");
  folder = "/tmp/weir-e2e-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return fail("cannot make a folder in /tmp");
  if (!script("up.sh", folder + " " + std::to_string(::getpid()))) {
    return fail("no cluster: e2e/cluster/up.sh failed (see above; logs in " + folder + "/log)");
  }
  const int result = enter_namespace() ? RUN_ALL_TESTS() : fail("cannot enter the namespace");
  script("down.sh", folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return result;
}

}  // namespace

const std::string& cluster_folder() { return folder; }

}  // namespace weir::e2e

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
  weir::base::log_start("e2e", weir::base::LogLevel::kError);
  return weir::e2e::run();
}
