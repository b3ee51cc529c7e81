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
#include "e2e/harness/verbs.h"

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

// After all cases: the roles that are shipped allow exactly what was used. Only after a whole run
// has every verb had its occasion. A list is what a server without streaming lists is asked for in
// the place of a watch.
int check_verbs() {
  const Verbs used = used_verbs(folder);
  const Verbs allowed = allowed_verbs();
  int wrong = 0;
  for (const std::string& verb : used) {
    if (allowed.contains(verb)) continue;
    ++wrong;
    std::fprintf(stderr, "e2e: '%s' was asked for, deploy/rbac.yaml forbids it\n", verb.c_str());
  }
  for (const std::string& verb : allowed) {
    const bool falls_back = verb.rfind("list ", 0) == 0 && used.contains("watch" + verb.substr(4));
    if (used.contains(verb) || falls_back) continue;
    ++wrong;
    std::fprintf(stderr, "e2e: deploy/rbac.yaml allows '%s', which was never used\n", verb.c_str());
  }
  std::printf("[ rbac ] %zu verbs allowed, %zu used, %d differ\n", allowed.size(), used.size(),
              wrong);
  return wrong == 0 ? 0 : 1;
}

// What only measures asks for nothing that another case does not.
bool whole_run() {
  const std::string filter(testing::GTEST_FLAG(filter));
  return (filter == "*" || filter == "-CostOnReal.*") && testing::GTEST_FLAG(repeat) == 1;
}

int run() {
  if (::geteuid() != 0) return fail("a network namespace needs root: run it as root");
  folder = "/tmp/weir-e2e-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return fail("cannot make a folder in /tmp");
  if (!script("up.sh", folder + " " + std::to_string(::getpid()))) {
    return fail("no cluster: e2e/cluster/up.sh failed (see above; logs in " + folder + "/log)");
  }
  int result = enter_namespace() ? RUN_ALL_TESTS() : fail("cannot enter the namespace");
  if (result == 0 && whole_run()) result = check_verbs();
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
