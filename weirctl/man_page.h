#pragma once

#include <string>

#include "weirctl/command.h"

namespace weir::weirctl {

// Manual pages in roff with the man macros, from the table of commands. docs/man holds them; a test
// compares.
std::string man_page();                       // weirctl(1)
std::string man_page(const CommandRow& row);  // weirctl-COMMAND(1)

}  // namespace weir::weirctl
