#include "tests/scenario/harness/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace weir::scenario {
namespace {

[[noreturn]] void become(const std::vector<std::string>& command, const std::string& log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

Process::Process(const std::vector<std::string>& command, const std::string& log) {
  pid_ = ::fork();
  if (pid_ == 0) become(command, log);
}

Process::~Process() {
  if (!send_signal(pid_, SIGKILL)) return;
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const { send_signal(pid_, number); }

std::optional<int> Process::wait(const Deadline& deadline) {
  int status = 0;
  if (pid_ <= 0 ||
      !eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, deadline)) {
    return std::nullopt;
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool send_signal(pid_t pid, int number) { return pid > 1 && ::kill(pid, number) == 0; }

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> out;
  if (pid <= 1) return out;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = text_of(entry.path().string() + "/stat");
    const std::size_t end = stat.rfind(')');
    if (end == std::string::npos || end + 4 > stat.size()) continue;
    if (std::atoi(stat.c_str() + end + 4) == pid) out.push_back(std::atoi(name.c_str()));
  }
  return out;
}

std::string command_of(pid_t pid) {
  const std::string line = text_of("/proc/" + std::to_string(pid) + "/cmdline");
  const std::string program = line.substr(0, line.find('\0'));
  return program.substr(program.rfind('/') + 1);
}

bool alive(pid_t pid) {
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() && stat[end + 2] != 'Z';
}

std::uint64_t cpu_nanoseconds(pid_t pid) {
  std::uint64_t sum = 0;
  std::error_code gone;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::istringstream line(text_of(task.path().string() + "/schedstat"));
    std::uint64_t running = 0;
    if (line >> running) sum += running;
  }
  return sum;
}

namespace {

std::optional<long> rollup(pid_t pid, const std::string& what) {
  const std::string text = text_of("/proc/" + std::to_string(pid) + "/smaps_rollup");
  const std::size_t at = text.find("\n" + what + ":");
  if (at == std::string::npos) return std::nullopt;
  return std::strtol(text.c_str() + at + what.size() + 2, nullptr, 10);
}

}  // namespace

std::optional<long> pss_kilobytes(pid_t pid) { return rollup(pid, "Pss"); }

std::optional<long> private_kilobytes(pid_t pid) {
  const auto clean = rollup(pid, "Private_Clean");
  const auto dirty = rollup(pid, "Private_Dirty");
  if (!clean || !dirty) return std::nullopt;
  return *clean + *dirty;
}

}  // namespace weir::scenario
