#include "common/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <ctime>

#include "common/base/json.h"
#include "common/base/text.h"

namespace weir::base {
namespace {

struct Sink {
  std::shared_ptr<spdlog::logger> logger;
  std::string component = "weir";
};

Sink& sink() {
  static Sink* const instance = [] {
    auto* made = new Sink;  // never destroyed: threads may log while statics go away
    made->logger =
        std::make_shared<spdlog::logger>("weir", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->logger->set_pattern("%v");
    made->logger->set_level(spdlog::level::info);
    made->logger->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

std::int64_t wall_micros() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

void log_start(std::string_view component, LogLevel lowest) {
  sink().component = component;
  sink().logger->set_level(to_spdlog(lowest));
}

bool parse_log_level(std::string_view text, LogLevel& out) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (text == name(level)) {
      out = level;
      return true;
    }
  }
  out = LogLevel::kInfo;
  return false;
}

void log_line(LogLevel level, std::string_view message, LogFacts facts) {
  spdlog::logger& logger = *sink().logger;
  if (!logger.should_log(to_spdlog(level))) return;
  std::string line = "{\"time\":\"" + format_rfc3339_micro(wall_micros()) + "\",\"level\":\"" +
                     std::string(name(level)) + "\",\"component\":";
  append_json_string(line, sink().component);
  line += ",\"message\":";
  append_json_string(line, message);
  for (const LogFact& fact : facts) {
    line += ',';
    append_json_string(line, fact.key);
    line += ':';
    if (fact.is_number) {
      line += std::to_string(fact.number);
    } else {
      append_json_string(line, fact.text);
    }
  }
  line += '}';
  logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace weir::base
