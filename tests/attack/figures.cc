#include "tests/attack/figures.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/push/client.h"

namespace weir::attack {

std::int64_t resident(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  std::int64_t size = 0;
  std::int64_t pages = 0;
  file >> size >> pages;
  return file.fail() ? 0 : pages * ::sysconf(_SC_PAGESIZE);
}

double metric(const push::Dataplane& dataplane, const std::string& name, const std::string& label) {
  const push::Answer page = push::get({.port = dataplane.admin_port()}, "/metrics", "127.0.0.1");
  std::istringstream lines(page.body);
  for (std::string line; std::getline(lines, line);) {
    const bool named = line.rfind(name + (label.empty() ? " " : "{"), 0) == 0;
    if (!named || line.find(label) == std::string::npos) continue;
    return std::atof(line.c_str() + line.rfind(' ') + 1);
  }
  return -1;
}

}  // namespace weir::attack
