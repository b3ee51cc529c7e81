#include "dataplane/observe/trace.h"

#include <charconv>
#include <cstdio>

#include "common/base/authority.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"

namespace weir::observe {
namespace {

constexpr std::size_t kSignatureDigits = 64;

std::string millis(base::Duration duration) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%.1f ms",
                                 std::chrono::duration<double, std::milli>(duration).count());
  return {text, static_cast<std::size_t>(size)};
}

// Field values hold no control characters, and stay short.
std::string line_of(std::string text) {
  if (text.size() > Decisions::kLongestLine) text.resize(Decisions::kLongestLine);
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

std::string attempt_line(std::size_t number, const TracedAttempt& attempt, base::TimePoint now) {
  std::string out = "attempt " + std::to_string(number) + ": " + attempt.endpoint;
  if (attempt.reused) out += ", kept connection";
  if (attempt.connect.count() > 0) out += ", connected in " + millis(attempt.connect);
  if (attempt.status != 0) {
    out +=
        ", " + std::to_string(attempt.status) + " after " + millis(attempt.head - attempt.started);
  }
  if (attempt.error.empty()) return out;
  const base::TimePoint end = attempt.ended == base::TimePoint{} ? now : attempt.ended;
  return out + ", failed after " + millis(end - attempt.started) + ": " + attempt.error;
}

}  // namespace

std::vector<std::string> describe(const Trace& trace, const Decisions& decisions,
                                  base::TimePoint now) {
  std::vector<std::string> out;
  out.push_back("listener: " + std::string(decisions.listener));
  out.push_back("route: " + (decisions.route.empty() ? std::string("none")
                                                     : std::string(decisions.route) + " (" +
                                                           std::string(decisions.match) + ")"));
  if (!decisions.filters.empty()) {
    std::string line = "filters: ";
    for (const std::string& one : decisions.filters)
      line += (&one == &decisions.filters.front() ? "" : ", ") + one;
    out.push_back(std::move(line));
  }
  if (!decisions.cluster.empty()) out.push_back("backend: " + std::string(decisions.cluster));
  constexpr std::size_t kOthers = 6;  // lines beside those of attempts
  const std::size_t all = trace.attempts.size();
  const std::size_t room = Decisions::kMostLines - kOthers;
  for (std::size_t i = all > room ? all - room : 0; i < all; ++i)
    out.push_back(attempt_line(i + 1, trace.attempts[i], now));
  std::string answer =
      "answer: " + std::to_string(decisions.status) + " after " + millis(now - trace.started);
  const bool backend = all > 0 && trace.attempts.back().status != 0 && decisions.error.empty();
  answer += backend ? ", the backend's" : ", Weir's own";
  if (!decisions.error.empty()) answer += ": " + std::string(decisions.error);
  out.push_back(std::move(answer));
  if (trace.propagates)
    out.push_back("trace: " + hex(trace.trace) + (trace.sampled ? ", sampled" : ", not sampled"));
  for (std::string& line : out) line = line_of(std::move(line));
  return out;
}

bool is_signed(std::string_view header, std::string_view authority, std::string_view key,
               base::WallTime now) {
  const std::size_t dot = header.find('.');
  if (dot == std::string_view::npos || header.size() - dot - 1 != kSignatureDigits) return false;
  const std::string_view stamp = header.substr(0, dot);
  std::int64_t at = 0;
  const auto read = std::from_chars(stamp.data(), stamp.data() + stamp.size(), at);
  if (read.ec != std::errc() || read.ptr != stamp.data() + stamp.size()) return false;
  const std::string wanted = base::hex(crypto::hmac_sha256(
      key, std::string(stamp) + "." + base::to_lower(base::without_port(authority))));
  const bool right = crypto::equals_constant_time(wanted, header.substr(dot + 1));
  const std::int64_t here =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  return right && at >= here - kDebugSkewSeconds && at <= here + kDebugSkewSeconds;
}

}  // namespace weir::observe
