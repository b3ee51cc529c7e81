#include <cstdio>

#include "weirctl/command.h"
#include "weirctl/man_page.h"

namespace weir::weirctl {
namespace {

class ManCommand final : public Command {
 public:
  void add_flags(base::Flags& flags) override {
    flags.positional("COMMAND", words_, "empty: of weirctl itself");
  }
  int run() override {
    if (words_.empty()) {
      std::fputs(man_page().c_str(), stdout);
      return 0;
    }
    for (const CommandRow& row : commands()) {
      if (words_.size() != 1 || row.name != words_[0]) continue;
      std::fputs(man_page(row).c_str(), stdout);
      return 0;
    }
    return complain("there is no command '" + words_[0] + "'");
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_man(const Invocation&) { return std::make_unique<ManCommand>(); }

}  // namespace weir::weirctl
