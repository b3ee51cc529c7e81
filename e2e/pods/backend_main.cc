// weir-e2e-backend: one backend of the scenario tests as a program of its own, for pods.

#include <pthread.h>

#include <csignal>
#include <cstdio>

#include "common/base/flags.h"
#include "tests/scenario/harness/backends.h"

int main(int argc, char** argv) {
  using weir::base::Flags;
  std::string name = "backend";
  std::string address = "0.0.0.0";
  std::uint16_t port = 8080;
  std::uint32_t grace = 2'000;
  Flags flags("weir-e2e-backend",
              "A backend that loss clients know: it names itself, X-Do steers.");
  flags.add("name", name, "name in every answer")
      .add("address", address, "IPv4 address to listen on")
      .add("port", port, "port to listen on")
      .add("grace", grace, "milliseconds for requests in work after SIGTERM");
  const auto parsed = flags.parse({argv + 1, argv + argc});
  if (!parsed.ok()) {
    std::fprintf(stderr, "weir-e2e-backend: %s\n", parsed.error().text.c_str());
    return 2;
  }
  if (parsed.value() == Flags::Outcome::kShownHelp) return 0;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before any thread starts
  weir::scenario::Backends backends;
  if (backends.add(name, address, port) == 0) {
    std::fprintf(stderr, "weir-e2e-backend: %s port %u is taken\n", address.c_str(), port);
    return 1;
  }
  int signal = 0;
  ::sigwait(&ends, &signal);
  backends.shut(name);
  weir::scenario::nap(weir::scenario::Millis(grace));
  return 0;
}
