#include "common/routing/pattern.h"

#include <re2/re2.h>

#include <string>

#include "common/routing/route_table.h"

namespace weir::routing {
namespace {

// Program and lazily built automaton of one pattern; RE2 falls back to a slower linear walk when
// the automaton does not fit.
constexpr std::int64_t kMostMemory = 1 << 20;

bool takes(const re2::RE2& pattern, std::string_view text, re2::RE2::Anchor anchor) {
  const re2::StringPiece piece(text.data(), text.size());
  return pattern.Match(piece, 0, text.size(), anchor, nullptr, 0);
}

}  // namespace

Pattern::Pattern(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

base::Result<Pattern> Pattern::compile(std::string_view pattern, bool ignore_case) {
  const std::string quoted = "regular expression '" + std::string(pattern.substr(0, 200)) + "': ";
  if (pattern.size() > kMostBytes) {
    return base::invalid(quoted + std::to_string(pattern.size()) +
                         " bytes; accepted: at most 4096");
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostMemory);
  options.set_case_sensitive(!ignore_case);
  auto compiled =
      std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok()) {
    return base::invalid(quoted + compiled->error() + "; accepted: RE2 syntax");
  }
  return Pattern(std::move(compiled));
}

bool Pattern::takes_start_of(std::string_view text) const {
  return takes(*compiled_, text, re2::RE2::ANCHOR_START);
}

bool Pattern::takes_whole(std::string_view text) const {
  return takes(*compiled_, text, re2::RE2::ANCHOR_BOTH);
}

base::Result<void> check_regex(std::string_view pattern) {
  auto compiled = Pattern::compile(pattern, false);
  if (!compiled.ok()) return std::move(compiled).error();
  return {};
}

}  // namespace weir::routing
