#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace weir::base {

// Process log: one JSON object a line on standard error. The message is constant text; what varies
// goes into key-value facts:
//
//   log_warn("certificate refused", {{"secret", "shop/tls"}, {"reason", error.text}});
//
// Never on the request path (that is the access log in dataplane/observe). Any thread; a line that
// standard error does not take within 50 ms is left out, and so are those behind it until it is
// read again, when a line says how many. The spdlog wrapper is log.cc.
enum class LogLevel { kDebug, kInfo, kWarn, kError };

struct LogFact {
  LogFact(std::string_view k, std::string_view v) : key(k), text(v) {}
  LogFact(std::string_view k, const char* v) : key(k), text(v) {}
  LogFact(std::string_view k, const std::string& v) : key(k), text(v) {}
  template <typename Int, typename = std::enable_if_t<std::is_integral_v<Int>>>
  LogFact(std::string_view k, Int v)
      : key(k), number(static_cast<std::int64_t>(v)), is_number(true) {}

  std::string_view key;
  std::string_view text;
  std::int64_t number = 0;
  bool is_number = false;
};

using LogFacts = std::initializer_list<LogFact>;

// component: "controller", "dataplane" …; stands in every line. Call once in main before other
// threads start.
void log_start(std::string_view component, LogLevel lowest);
// accepted: debug, info, warn, error. Empty text or another word gives kInfo and false.
bool parse_log_level(std::string_view text, LogLevel& out);

void log_line(LogLevel level, std::string_view message, LogFacts facts);
inline void log_debug(std::string_view message, LogFacts facts = {}) {
  log_line(LogLevel::kDebug, message, facts);
}
inline void log_info(std::string_view message, LogFacts facts = {}) {
  log_line(LogLevel::kInfo, message, facts);
}
inline void log_warn(std::string_view message, LogFacts facts = {}) {
  log_line(LogLevel::kWarn, message, facts);
}
inline void log_error(std::string_view message, LogFacts facts = {}) {
  log_line(LogLevel::kError, message, facts);
}

}  // namespace weir::base
