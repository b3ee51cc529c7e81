#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace weir::process {

struct Command {
  std::vector<std::string> words;   // not empty; [0] is the program's path
  int inherited = -1;               // a descriptor that the child keeps, else none
  std::string_view variable;        // that names the descriptor's number to the child: "WEIR_X_FD"
  void (*before_exec)() = nullptr;  // between fork and exec: only what is safe there
};

// Forks and executes the command with no signal blocked; the child gets SIGTERM when this process
// dies.
//   errors: kSystem. A program that cannot be executed ends with status 127.
base::Result<pid_t> spawn(const Command& command);

// Of a status that waitpid gave: the exit code, or 128 + the number of the signal that ended it.
int exit_code(int status);

}  // namespace weir::process
