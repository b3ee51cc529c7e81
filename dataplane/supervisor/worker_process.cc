#include "dataplane/supervisor/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "common/base/check.h"
#include "dataplane/supervisor/capabilities.h"

namespace weir::supervisor {
namespace {

constexpr std::string_view kFdVariable = "WEIR_SUPERVISOR_FD=";

// Between fork and exec only calls that are safe in a copy of a threaded process.
[[noreturn]] void become_worker(int channel, pid_t parent, char* const* command,
                                char* const* environment) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Before the signal below: whoever gains a capability by exec loses it.
  drop_capabilities();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // it died before the line above
  fcntl(channel, F_SETFD, 0);
  execve(command[0], command, environment);
  _exit(127);
}

}  // namespace

base::Result<WorkerProcess> spawn_worker(const std::vector<std::string>& command) {
  WEIR_CHECK(!command.empty());
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::system_error("worker process: socketpair", errno);
  }
  WorkerProcess out;
  out.channel = base::UniqueFd(ends[0]);
  const base::UniqueFd theirs(ends[1]);

  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::string variable = std::string(kFdVariable) + std::to_string(theirs.get());
  std::vector<char*> environment;
  for (char** at = environ; *at != nullptr; ++at) {
    if (!std::string_view(*at).starts_with(kFdVariable)) environment.push_back(*at);
  }
  environment.push_back(variable.data());
  environment.push_back(nullptr);

  const pid_t parent = getpid();
  out.pid = fork();
  if (out.pid < 0) return base::system_error("worker process: fork", errno);
  if (out.pid == 0) become_worker(theirs.get(), parent, arguments.data(), environment.data());
  return out;
}

}  // namespace weir::supervisor
