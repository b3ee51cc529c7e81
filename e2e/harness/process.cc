#include "e2e/harness/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace weir::e2e {
namespace {

[[noreturn]] void become(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> out;
  std::error_code gone;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
    std::ifstream file(task.path().string() + "/children");
    for (pid_t child; file >> child;) out.push_back(child);
  }
  return out;
}

}  // namespace

bool eventually(const std::function<bool()>& test, Millis patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!test()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(Millis(2));
  }
  return true;
}

Process::Process(const std::vector<std::string>& command, const std::string& log) {
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  become(command);
}

Process::~Process() { kill(); }

bool Process::running() {
  if (pid_ <= 1) return false;
  if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

void Process::terminate() {
  if (!running()) return;
  ::kill(pid_, SIGTERM);
  eventually([this] { return !running(); }, Millis(10'000));
  kill();
}

void Process::kill() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Process::hold() {
  held_ = {pid_};
  for (std::size_t i = 0; i < held_.size(); ++i) {
    if (held_[i] <= 1) continue;
    ::kill(held_[i], SIGSTOP);
    const std::vector<pid_t> children = children_of(held_[i]);
    held_.insert(held_.end(), children.begin(), children.end());
  }
}

void Process::let_go() {
  for (auto at = held_.rbegin(); at != held_.rend(); ++at) {
    if (*at > 1) ::kill(*at, SIGCONT);
  }
  held_.clear();
}

std::string run_program(const std::vector<std::string>& command) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    become(command);
  }
  ::close(ends[1]);
  std::string out;
  char chunk[4'096];
  for (ssize_t got; (got = ::read(ends[0], chunk, sizeof chunk)) > 0;)
    out.append(chunk, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0) << command.front() << " " << command.back() << "\n" << out;
  return out;
}

std::uint64_t cpu_nanoseconds(pid_t pid) {
  std::uint64_t sum = 0;
  std::error_code gone;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
    std::ifstream file(task.path().string() + "/schedstat");
    std::uint64_t running = 0;
    if (file >> running) sum += running;
  }
  for (const pid_t child : children_of(pid)) sum += cpu_nanoseconds(child);
  return sum;
}

}  // namespace weir::e2e
