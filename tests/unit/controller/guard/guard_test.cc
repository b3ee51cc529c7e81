#include "controller/guard/guard.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

// The program plays three parts: the tests, the guard ("--guard FILE SILENCE_MS"), and a controller
// ("--serve FILE") that appends its pid to FILE once its loop runs, and ends with 7 when it is told
// to. With FILE "never" it ends at once with 2.

namespace weir::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

int serve(const std::string& file) {
  if (file == "never") return 2;
  static loop::Loop* running = nullptr;
  loop::Loop loop;
  running = &loop;
  signal(SIGTERM, [](int) { running->stop(); });
  const SignOfLife sign(loop);
  std::ofstream(file, std::ios::app) << getpid() << "\n";
  loop.run();
  return 7;
}

class GuardTest : public testing::Test {
 protected:
  ~GuardTest() override {
    if (guard_ > 0) {
      kill(guard_, SIGKILL);
      waitpid(guard_, nullptr, 0);
    }
    unlink(file_.c_str());
  }

  void start(const std::string& file, milliseconds silence = seconds(60)) {
    std::string program = "/proc/self/exe";
    std::string part = "--guard";
    std::string name = file;
    std::string millis = std::to_string(silence.count());
    char* words[] = {program.data(), part.data(), name.data(), millis.data(), nullptr};
    ASSERT_EQ(posix_spawn(&guard_, program.c_str(), nullptr, nullptr, words, environ), 0);
  }
  std::vector<pid_t> children() const {
    std::ifstream in(file_);
    std::vector<pid_t> out;
    for (pid_t pid = 0; in >> pid;) out.push_back(pid);
    return out;
  }
  // The pid of the n-th child once it runs; -1 when it does not come. Bounded.
  pid_t child(std::size_t number) const {
    for (int i = 0; i < 2'000; ++i) {
      const auto all = children();
      if (all.size() > number) return all[number];
      std::this_thread::sleep_for(milliseconds(10));
    }
    return -1;
  }
  int wait_end() {
    int status = 0;
    for (int i = 0; i < 2'000 && guard_ > 0; ++i) {
      if (waitpid(guard_, &status, WNOHANG) == guard_) {
        guard_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    return -1;
  }

  pid_t guard_ = -1;
  std::string file_ = testing::TempDir() + "weir_guard_" + std::to_string(getpid());
};

TEST_F(GuardTest, AControllerThatIsKilledIsStartedAgainByTheSameGuard) {
  start(file_);
  for (std::size_t death = 0; death < 5; ++death) {
    const pid_t pid = child(death);
    ASSERT_GT(pid, 0) << death;
    kill(pid, SIGKILL);
  }
  EXPECT_GT(child(5), 0);
  EXPECT_EQ(waitpid(guard_, nullptr, WNOHANG), 0) << "the guard lives";
}

TEST_F(GuardTest, AControllerThatHangsIsReplaced) {
  start(file_, milliseconds(1'200));
  const pid_t first = child(0);
  ASSERT_GT(first, 0);
  kill(first, SIGSTOP);
  const pid_t second = child(1);
  EXPECT_GT(second, 0);
  EXPECT_NE(second, first);
}

TEST_F(GuardTest, OneThatIsAliveIsLeftAlone) {
  start(file_, milliseconds(1'500));
  ASSERT_GT(child(0), 0);
  std::this_thread::sleep_for(seconds(3));
  EXPECT_EQ(children().size(), 1U);
}

TEST_F(GuardTest, SigtermIsPassedOnAndTheControllersExitCodeIsTheGuards) {
  start(file_);
  ASSERT_GT(child(0), 0);
  kill(guard_, SIGTERM);
  EXPECT_EQ(wait_end(), 7);
  EXPECT_EQ(children().size(), 1U);
}

TEST_F(GuardTest, AControllerThatNeverCameUpEndsTheGuardWithItsCode) {
  start("never");
  EXPECT_EQ(wait_end(), 2);
}

TEST_F(GuardTest, TheControllerEndsWhenItsGuardIsKilled) {
  start(file_);
  const pid_t pid = child(0);
  ASSERT_GT(pid, 0);
  kill(guard_, SIGKILL);
  waitpid(guard_, nullptr, 0);
  guard_ = -1;
  bool gone = false;
  for (int i = 0; i < 1'000 && !gone; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    gone = !std::getline(stat, text) || text.find(") Z ") != std::string::npos;
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(gone);
}

}  // namespace

int play_a_part(int count, char** words) {
  const std::string part = count > 1 ? words[1] : "";
  if (part == "--serve" && count == 3) return serve(words[2]);
  if (part != "--guard" || count != 4) return -1;
  Options options;
  options.command = {"/proc/self/exe", "--serve", words[2]};
  options.longest_silence = milliseconds(std::stoi(words[3]));
  return run(options);
}

}  // namespace weir::guard

int main(int count, char** words) {
  if (const int code = weir::guard::play_a_part(count, words); code >= 0) return code;
  testing::InitGoogleTest(&count, words);
  return RUN_ALL_TESTS();
}
