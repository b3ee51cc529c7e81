#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "common/base/clock.h"

namespace weir::filters {

// Recent answers to "is this password right", so that a browser does not pay for bcrypt with every
// image. Keys are digests over credentials and policy, so a changed secret asks anew, and no
// password lies in memory. Bounded: full means empty again. One worker.
class VerdictCache {
 public:
  static constexpr std::size_t kMost = 4096;
  static constexpr std::chrono::seconds kLifetime{60};

  std::optional<bool> find(const std::string& key, base::TimePoint now);
  void store(const std::string& key, bool right, base::TimePoint now);
  std::size_t size() const { return verdicts_.size(); }

 private:
  struct Verdict {
    bool right;
    base::TimePoint until;
  };
  std::unordered_map<std::string, Verdict> verdicts_;
};

}  // namespace weir::filters
