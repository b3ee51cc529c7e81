#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace weir::weirctl {

// One GET, asked until the answer is the expected one. For `helm test`, for the end of a pod, for
// scripts: the image has no other program that can ask.
struct ProbeOptions {
  std::string url;   // http://host[:port]/path; no TLS
  std::string host;  // Host field; empty: the URL's
  std::uint16_t status = 200;
  bool gone = false;                         // instead wait until nobody accepts connections there
  std::chrono::milliseconds wait{0};         // how long to ask again; 0: once
  std::chrono::milliseconds timeout{5'000};  // for one attempt
};

// Blocks. Returns what was seen, for people.
//   errors: kInvalid for a URL that is none, naming the accepted form; kTimeout when `wait` ended:
//   the text says what was seen last.
base::Result<std::string> probe(const ProbeOptions& options);

}  // namespace weir::weirctl
