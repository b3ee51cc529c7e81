// Carries rounds of 16 requests through one worker, for callgrind: what it counts inside
// Loop::run_once is the worker's. After WARM rounds weir_perf_warmed_up() is called once, then come
// ROUNDS.
//
//   weir-perf-drive MODE WARM ROUNDS     MODE: plain, plain-loaded, tls, tls-loaded, many-hosts,
//                                        handshake, body

#include <cstdio>
#include <cstdlib>
#include <map>

#include "tests/perf/stage.h"

// Where callgrind is told to begin anew (--dump-before).
extern "C" [[gnu::noinline]] void weir_perf_warmed_up() { asm volatile(""); }

int main(int argc, char** argv) {
  using weir::perf::Setting;
  const std::map<std::string, Setting> settings = {
      {"plain", Setting{false, false, 16, 10, 128}},
      {"plain-loaded", Setting{false, true, 16, 500, 128}},
      {"tls", Setting{true, false, 16, 10, 128}},
      {"tls-loaded", Setting{true, true, 16, 500, 128}},
      {"many-hosts", Setting{false, false, 16, 20'000, 128}},
      {"handshake", Setting{true, false, 16, 10, 128, true}},
      {"body", Setting{false, false, 16, 10, 16'000}},
  };
  const auto found = argc == 4 ? settings.find(argv[1]) : settings.end();
  if (found == settings.end()) {
    std::fprintf(stderr, "usage: weir-perf-drive MODE WARM ROUNDS\n");
    return 2;
  }
  weir::perf::Stage stage(found->second);
  for (int i = std::atoi(argv[2]); i > 0; --i) stage.round();
  weir_perf_warmed_up();
  for (int i = std::atoi(argv[3]); i > 0; --i) stage.round();
  return stage.good() ? 0 : 1;
}
