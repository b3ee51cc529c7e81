#include "tests/push/dataplane.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/base/fd.h"

namespace weir::push {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

std::string tail_of(const std::string& text) {
  constexpr std::size_t kMost = 8'000;
  return text.size() <= kMost ? text : text.substr(text.size() - kMost);
}

// "::" without IPV6_V6ONLY takes the port on both families.
bool is_free(std::uint16_t port) {
  const base::UniqueFd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  const int off = 0;
  ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  return ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

[[noreturn]] void become(const std::vector<std::string>& command, const std::string& log,
                         unsigned descriptors) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_DFL);  // as it starts everywhere else
  const rlimit most{descriptors, descriptors};
  if (descriptors != 0) ::setrlimit(RLIMIT_NOFILE, &most);
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

void nap(Millis time) { std::this_thread::sleep_for(time); }

int millis_until(Clock::time_point at) {
  const auto left = std::chrono::duration_cast<Millis>(at - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

std::uint16_t free_port() {
  constexpr unsigned kFirst = 10'000;
  constexpr unsigned kBlock = 32;  // of one process; neighbours have other pids
  constexpr unsigned kBlocks = 640;
  static unsigned used = 0;
  for (unsigned tries = 0; tries < kBlock * kBlocks; ++tries) {
    const unsigned block = (static_cast<unsigned>(::getpid()) + used / kBlock) % kBlocks;
    const auto port = static_cast<std::uint16_t>(kFirst + block * kBlock + used % kBlock);
    ++used;
    if (is_free(port)) return port;
  }
  return 0;
}

Dataplane::Dataplane(DataplaneOptions options) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that the dataplane has ended
  std::string name = std::filesystem::temp_directory_path() / "weir-push-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return;
  folder_ = name;
  ::chmod(folder_.c_str(), 0755);  // another user may try the control socket
  admin_port_ = free_port();
  std::vector<std::string> command{WEIR_BIN_DIR "/weir-dataplane",
                                   "--control-socket=" + control_socket(),
                                   "--workers=" + std::to_string(options.workers),
                                   "--admin-address=127.0.0.1",
                                   "--admin-port=" + std::to_string(admin_port_),
                                   "--access-log-path=" + folder_ + "/access.log",
                                   "--drain-timeout=" + options.drain_timeout};
  command.insert(command.end(), options.args.begin(), options.args.end());
  pid_ = ::fork();
  if (pid_ == 0) become(command, folder_ + "/dataplane.log", options.descriptors);
}

Dataplane::~Dataplane() {
  if (testing::Test::HasFailure()) {
    std::printf("the dataplane's log:\n%s\n", tail_of(log()).c_str());
  }
  const pid_t serving = worker();
  if (pid_ > 1) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (serving > 1) ::kill(serving, SIGKILL);
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string Dataplane::log() const { return text_of(folder_ + "/dataplane.log"); }
std::string Dataplane::access_log() const { return text_of(folder_ + "/access.log"); }

pid_t Dataplane::worker() const {
  if (pid_ <= 1) return -1;
  const std::string pid = std::to_string(pid_);
  std::istringstream children(text_of("/proc/" + pid + "/task/" + pid + "/children"));
  pid_t child = -1;
  children >> child;
  return children.fail() ? -1 : child;
}

std::optional<int> Dataplane::stop() {
  int status = 0;
  if (pid_ <= 1 || ::kill(pid_, SIGTERM) != 0) return std::nullopt;
  if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) return std::nullopt;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace weir::push
