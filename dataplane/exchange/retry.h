#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.h"

namespace weir::exchange {

// What is known when an attempt has failed before a response head.
struct FailedAttempt {
  const base::Error& error;
  std::string_view method;
  bool reused = false;          // it ran on a pooled connection
  bool response_began = false;  // an interim head came
  bool replayable = true;       // all of the body that was sent is still here
  std::uint32_t attempts = 1;   // made so far, this one included
  std::uint32_t tries = 3;      // RetryRule::tries
};

enum class RetryChoice : std::uint8_t {
  kNone,
  kOtherEndpoint,    // nothing was written: any request may go elsewhere
  kFreshConnection,  // the pooled connection had died: only a new one will do
};

// Decides from the error, not from the place where it was met. A request that an endpoint may have
// seen is sent again only when it is idempotent (RFC 9110 section 9.2.2), and only after a pooled
// connection closed without a word: no POST is ever delivered twice.
RetryChoice choose_retry(const FailedAttempt& failed);

bool is_idempotent(std::string_view method);

}  // namespace weir::exchange
