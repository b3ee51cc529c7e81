#pragma once

#include <memory>
#include <string_view>

#include "common/base/result.h"

namespace re2 {
class RE2;
}

namespace weir::routing {

// A compiled RE2 pattern: linear time, bounded memory. Any thread.
class Pattern {
 public:
  static constexpr std::size_t kMostBytes = 4096;

  //   errors: kInvalid quoting the pattern, with RE2's reason.
  static base::Result<Pattern> compile(std::string_view pattern, bool ignore_case);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  bool takes_start_of(std::string_view text) const;
  bool takes_whole(std::string_view text) const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> compiled);
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace weir::routing
