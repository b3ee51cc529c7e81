#include "dataplane/exchange/retry.h"

#include <algorithm>
#include <array>

namespace weir::exchange {

bool is_idempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 6> kMethods = {"GET",    "HEAD",    "PUT",
                                                               "DELETE", "OPTIONS", "TRACE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

RetryChoice choose_retry(const FailedAttempt& failed) {
  if (failed.attempts >= failed.tries) return RetryChoice::kNone;
  if (failed.error.retryable) return RetryChoice::kOtherEndpoint;
  const bool closed_in_silence = failed.reused && !failed.response_began &&
                                 (failed.error.kind == base::ErrorKind::kClosed ||
                                  failed.error.kind == base::ErrorKind::kSystem);
  if (closed_in_silence && failed.replayable && is_idempotent(failed.method)) {
    return RetryChoice::kFreshConnection;
  }
  return RetryChoice::kNone;
}

}  // namespace weir::exchange
