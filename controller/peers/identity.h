#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "controller/peers/tls_channel.h"

namespace weir::peers {

// This replica's certificate for the peers channel: made here, signed by the current authority of
// the Secret, good for a day and renewed after eight hours, or at once with another Secret. Its key
// is in this process only. One loop thread.
class Identity {
 public:
  // clock: borrowed.
  explicit Identity(const base::Clock& clock) : clock_(clock) {}

  // text: what the Secret holds now; empty: nothing. True when context() is another one.
  bool look(const std::string& text);
  std::shared_ptr<const TlsContext> context() const { return context_; }  // null: there is none
  const std::string& problem() const { return problem_; }  // why; nothing of what is secret

 private:
  const base::Clock& clock_;
  std::string text_;
  std::int64_t issued_ = 0;  // seconds since the epoch
  std::shared_ptr<const TlsContext> context_;
  std::string problem_ = "the Secret holds no authorities yet: the leader writes them";
};

}  // namespace weir::peers
