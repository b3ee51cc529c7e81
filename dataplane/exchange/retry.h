#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/model/retry.h"

namespace weir::exchange {

inline const model::RetryRule kUsualRule;

// What is known when an attempt has failed before a response head, or with a head that says so.
struct FailedAttempt {
  const base::Error& error;
  std::string_view method;
  bool reused = false;          // it ran on a pooled connection
  bool response_began = false;  // an interim head came
  bool replayable = true;       // all of the body that was sent is still here
  std::uint32_t attempts = 1;   // made so far, this one included
  const model::RetryRule& rule = kUsualRule;
  base::Duration since_first{};  // begin of the first attempt
  int status = 0;                // of a response; 0: it was the error
};

enum class RetryChoice : std::uint8_t {
  kNone,
  kOtherEndpoint,    // nothing was written, or nothing was processed: any request may go elsewhere
  kFreshConnection,  // the pooled connection had died: only a new one will do
  kAgain  // the rule wants it although an endpoint may have seen the request: within the budget
};

// Decides from the error, not from the place where it was met. A request that an endpoint may have
// seen is sent again only when it is idempotent (RFC 9110 section 9.2.2), and only after a pooled
// connection closed without a word or when the rule asks for it: no POST is ever delivered twice
// unless the rule says non_idempotent.
RetryChoice choose_retry(const FailedAttempt& failed);

bool is_idempotent(std::string_view method);

// The rule asks for more than what is always tried again: bodies are worth keeping.
bool may_repeat(const model::RetryRule& rule, std::string_view method);

}  // namespace weir::exchange
