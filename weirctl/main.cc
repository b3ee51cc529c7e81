// weirctl: Weir for people. The commands are in commands.cc; as kubectl-weir it is a plugin of
// kubectl.

#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "weirctl/command.h"
#include "weirctl/completion.h"

namespace weir::weirctl {
namespace {

int run(const CommandRow& row, const Invocation& invocation, std::vector<std::string> words) {
  const std::unique_ptr<Command> command = row.make(invocation);
  const std::unique_ptr<base::Flags> flags = flags_of(row, *command);
  const auto outcome = flags->parse(std::move(words));
  if (!outcome.ok()) {
    complain(outcome.error().text);
    return command->wrong_call();
  }
  return outcome.value() == base::Flags::Outcome::kShownHelp ? 0 : command->run();
}

int main_of(const std::string& program, std::vector<std::string> words) {
  const std::string called = program.substr(program.rfind('/') + 1);
  const Invocation invocation{called == "kubectl-weir"};
  if (called == "kubectl_complete-weir") {
    std::fputs(complete_for_kubectl(words).c_str(), stdout);
    return 0;
  }
  const std::string name = words.empty() ? "" : words.front();
  if (name == "--help" || name == "-h" || name == "help") {
    std::fputs(usage_text().c_str(), stdout);
    return 0;
  }
  if (name == "__complete") {  // what the scripts of `weirctl completion` call
    std::fputs(complete_lines({words.begin() + 1, words.end()}).c_str(), stdout);
    return 0;
  }
  for (const CommandRow& row : commands()) {
    if (row.name != name) continue;
    words.erase(words.begin());
    return run(row, invocation, std::move(words));
  }
  std::fputs(usage_text().c_str(), stderr);
  return 2;
}

}  // namespace
}  // namespace weir::weirctl

int main(int argc, char** argv) {
  weir::base::log_start("weirctl", weir::base::LogLevel::kError);
  ::prctl(PR_SET_DUMPABLE, 0);  // credentials of a kubeconfig
  ::signal(SIGPIPE, SIG_IGN);
  return weir::weirctl::main_of(argc > 0 ? argv[0] : "",
                                std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}
