#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/flags.h"

namespace weir::weirctl {

// One command of weirctl: its flags are read into it, then it runs.
class Command {
 public:
  virtual ~Command() = default;
  virtual void add_flags(base::Flags& flags) = 0;
  // The exit code. Output goes to standard output, complaints to standard error.
  virtual int run() = 0;
  // The exit code when the flags are wrong.
  virtual int wrong_call() const { return 2; }
};

// How the program was called.
struct Invocation {
  bool as_plugin = false;  // as `kubectl weir`: argv[0] is kubectl-weir
};

// One row of the table from which the program, its help, its completion and its man pages come.
struct CommandRow {
  std::string_view name;
  std::string_view words;    // after the name: "METHOD URL"; empty: none
  std::string_view summary;  // half a line
  std::string_view text;     // paragraphs of the man page; roff has no meaning in it
  std::vector<std::string_view> examples;
  std::vector<std::string_view> offers;  // what a shell offers for the first word
  std::unique_ptr<Command> (*make)(const Invocation& invocation);
};

const std::vector<CommandRow>& commands();
// The flags of a row, filled; they point into command.
std::unique_ptr<base::Flags> flags_of(const CommandRow& row, Command& command);
// What `weirctl` says by itself: a line for each command.
std::string usage_text();

// Prints "weirctl: text" to standard error; gives the exit code 2 of a wrong call.
int complain(const std::string& text);

// "text" or "json".
struct Output {
  std::string format = "text";
  void add_flag(base::Flags& flags);
  bool json() const { return format == "json"; }
  // errors: kInvalid: another word.
  base::Result<void> check() const;
};

// Each in the file of its name.
std::unique_ptr<Command> make_up(const Invocation& invocation);
std::unique_ptr<Command> make_explain(const Invocation& invocation);
std::unique_ptr<Command> make_plan_command(const Invocation& invocation);
std::unique_ptr<Command> make_top(const Invocation& invocation);
std::unique_ptr<Command> make_dump(const Invocation& invocation);
std::unique_ptr<Command> make_probe(const Invocation& invocation);
std::unique_ptr<Command> make_completion(const Invocation& invocation);
std::unique_ptr<Command> make_man(const Invocation& invocation);

}  // namespace weir::weirctl
