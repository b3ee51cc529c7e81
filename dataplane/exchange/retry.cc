#include "dataplane/exchange/retry.h"

#include <algorithm>
#include <array>

namespace weir::exchange {

bool is_idempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 6> kMethods = {"GET",    "HEAD",    "PUT",
                                                               "DELETE", "OPTIONS", "TRACE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

namespace {

bool asked(const FailedAttempt& failed) {
  const model::RetryRule& rule = failed.rule;
  if (failed.status != 0) {
    return std::find(rule.statuses.begin(), rule.statuses.end(), failed.status) !=
           rule.statuses.end();
  }
  switch (failed.error.kind) {
    case base::ErrorKind::kTimeout:
      return rule.on_timeout;
    case base::ErrorKind::kProtocol:
      return rule.on_invalid;
    case base::ErrorKind::kClosed:
    case base::ErrorKind::kSystem:
      return rule.on_error;
    default:
      return false;
  }
}

}  // namespace

bool may_repeat(const model::RetryRule& rule, std::string_view method) {
  const bool more = rule.on_error || rule.on_timeout || rule.on_invalid || !rule.statuses.empty();
  return more && (rule.non_idempotent || is_idempotent(method));
}

RetryChoice choose_retry(const FailedAttempt& failed) {
  const bool late = failed.rule.time.count() > 0 && failed.since_first >= failed.rule.time;
  if (late) return RetryChoice::kNone;
  const bool unsent = failed.status == 0 && failed.error.retryable;
  // Costs no try: it says nothing about the endpoint, and a new connection is no pooled one.
  const bool closed_in_silence = failed.status == 0 && failed.reused && !failed.response_began &&
                                 !unsent &&
                                 (failed.error.kind == base::ErrorKind::kClosed ||
                                  failed.error.kind == base::ErrorKind::kSystem);
  if (closed_in_silence && failed.replayable && is_idempotent(failed.method)) {
    return RetryChoice::kFreshConnection;
  }
  if (failed.attempts >= failed.rule.tries) return RetryChoice::kNone;
  if (unsent) {
    return failed.replayable ? RetryChoice::kOtherEndpoint : RetryChoice::kNone;
  }
  const bool repeatable = failed.replayable && !failed.response_began;
  if (repeatable && asked(failed) && may_repeat(failed.rule, failed.method)) {
    return RetryChoice::kAgain;
  }
  return RetryChoice::kNone;
}

}  // namespace weir::exchange
