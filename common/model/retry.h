#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

// When a request is sent again. What no endpoint can have seen (the connection did not open), and
// what met a pooled connection that had died, is tried again always, as long as there are tries.
// The rest says what more is, and only for requests whose method is idempotent.
struct RetryRule {
  std::uint32_t tries = 3;                   // the first included; 1: no retry
  bool on_error = false;                     // broken before the response's head
  bool on_timeout = false;                   // no response head in time
  bool on_invalid = false;                   // what came is no HTTP
  std::vector<std::uint16_t> statuses = {};  // of the response, 400..599
  bool non_idempotent = false;               // also methods that are not: may deliver twice
  std::chrono::milliseconds time{0};     // no retry later than this behind the first try; 0: none
  std::chrono::milliseconds per_try{0};  // one try, from its start to its response head; 0: none
  bool operator==(const RetryRule&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("tries", &RetryRule::tries), field("on_error", &RetryRule::on_error),
              field("on_timeout", &RetryRule::on_timeout),
              field("on_invalid", &RetryRule::on_invalid), field("statuses", &RetryRule::statuses),
              field("non_idempotent", &RetryRule::non_idempotent),
              field("time_ms", &RetryRule::time), field("per_try_ms", &RetryRule::per_try));
  }
};

}  // namespace weir::model
