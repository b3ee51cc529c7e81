#include <cstdio>

#include "weirctl/command.h"
#include "weirctl/explain.h"
#include "weirctl/sources.h"

namespace weir::weirctl {
namespace {

class ExplainCommand final : public Command {
 public:
  explicit ExplainCommand(const Invocation& invocation) : invocation_(invocation) {}

  void add_flags(base::Flags& flags) override {
    flags.add("header,H", headers_, "'Name: value'; may be repeated")
        .add("table", table_, "route table; empty: the listener's");
    output_.add_flag(flags);
    add_folder_flags(flags, place_);
    flags.add("dump-socket", place_.dump_socket, "dump socket of a live dataplane")
        .offers({base::Flags::kFile});
    add_cluster_flags(flags, place_);
    flags.positional("METHOD URL", words_, "GET http://shop.example.test/cart");
  }

  int run() override {
    if (words_.size() != 2)
      return complain("explain takes METHOD URL, for example: GET http://shop.example.test/cart");
    if (auto checked = output_.check(); !checked.ok()) return complain(checked.error().text);
    const auto question = make_question(words_[0], words_[1], headers_);
    if (!question.ok()) return complain(question.error().text);
    const auto configuration = read_place(place_, invocation_.as_plugin);
    if (!configuration.ok()) return complain(configuration.error().text);
    const base::Json answer = explain(configuration.value(), table_, question.value());
    const std::string text =
        output_.json() ? answer.to_pretty_string() + "\n" : explain_text(answer);
    std::fputs(text.c_str(), stdout);
    return 0;
  }

 private:
  const Invocation invocation_;
  Place place_;
  Output output_;
  std::string table_;
  std::vector<std::string> headers_;
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_explain(const Invocation& invocation) {
  return std::make_unique<ExplainCommand>(invocation);
}

}  // namespace weir::weirctl
