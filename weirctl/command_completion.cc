#include <cstdio>

#include "weirctl/command.h"
#include "weirctl/completion.h"

namespace weir::weirctl {
namespace {

class CompletionCommand final : public Command {
 public:
  void add_flags(base::Flags& flags) override {
    flags.positional("SHELL", words_, "bash, zsh or fish");
  }
  int run() override {
    const std::string script = words_.size() == 1 ? completion_script(words_[0]) : "";
    if (script.empty()) return complain("completion takes one of: bash, zsh, fish");
    std::fputs(script.c_str(), stdout);
    return 0;
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_completion(const Invocation&) {
  return std::make_unique<CompletionCommand>();
}

}  // namespace weir::weirctl
