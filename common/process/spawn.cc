#include "common/process/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/check.h"

namespace weir::process {
namespace {

struct Prepared {
  pid_t parent;
  int inherited;
  void (*before_exec)();
  char* const* words;
  char* const* environment;
};

// Between fork and exec only calls that are safe in a copy of a threaded process.
[[noreturn]] void become(const Prepared& what) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Before the signal below: whoever gains a capability by exec loses it.
  if (what.before_exec != nullptr) what.before_exec();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != what.parent) _exit(127);  // it died before the line above
  if (what.inherited >= 0) fcntl(what.inherited, F_SETFD, 0);
  execve(what.words[0], what.words, what.environment);
  _exit(127);
}

}  // namespace

base::Result<pid_t> spawn(const Command& command) {
  WEIR_CHECK(!command.words.empty());
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const std::string name = std::string(command.variable) + "=";
  std::string variable = name + std::to_string(command.inherited);
  std::vector<char*> environment;
  for (char** at = environ; *at != nullptr; ++at) {
    if (!std::string_view(*at).starts_with(name)) environment.push_back(*at);
  }
  if (command.inherited >= 0) environment.push_back(variable.data());
  environment.push_back(nullptr);

  const Prepared prepared{getpid(), command.inherited, command.before_exec, words.data(),
                          environment.data()};
  const pid_t pid = fork();
  if (pid < 0) return base::system_error("fork", errno);
  if (pid == 0) become(prepared);
  return pid;
}

int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace weir::process
