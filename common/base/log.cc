#include "common/base/log.h"

#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <mutex>
#include <utility>

#include "common/base/json.h"
#include "common/base/text.h"

namespace weir::base {
namespace {

std::int64_t wall_micros() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

std::string begin_line(std::string_view level, std::string_view component,
                       std::string_view message) {
  std::string line = "{\"time\":\"" + format_rfc3339_micro(wall_micros()) + "\",\"level\":\"" +
                     std::string(level) + "\",\"component\":";
  append_json_string(line, component);
  line += ",\"message\":";
  append_json_string(line, message);
  return line;
}

// Standard error as long as somebody reads it. A pipe that is full and stays so (a container
// runtime that hangs) must not hold a thread that carries traffic: lines are left out until it is
// read again, and the first one then says how many. A pipe that can be polled for writing takes
// PIPE_BUF bytes at once (pipe(7)); longer lines may wait.
class ReadStderr final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::string component = "weir";

 private:
  static constexpr int kPatience = 50;  // milliseconds, once

  void sink_it_(const spdlog::details::log_msg& line) override {
    if (!is_read()) {
      ++left_out_;
      return;
    }
    if (left_out_ > 0) {
      write_line(begin_line("warn", component, "lines of the log were left out: nobody read it") +
                 ",\"lines\":" + std::to_string(std::exchange(left_out_, 0)) + "}");
    }
    write_line({line.payload.data(), line.payload.size()});
  }
  void flush_() override {}

  bool is_read() {
    pollfd look{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&look, 1, left_out_ > 0 ? 0 : kPatience) == 0) return false;
    return true;  // also when it is broken: the write tells
  }
  static void write_line(std::string_view text) {
    std::string line(text);
    line += '\n';
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t put = ::write(STDERR_FILENO, rest.data(), rest.size());
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
  }

  std::uint64_t left_out_ = 0;
};

struct Sink {
  std::shared_ptr<spdlog::logger> logger;
  std::shared_ptr<ReadStderr> out = std::make_shared<ReadStderr>();
};

Sink& sink() {
  static Sink* const instance = [] {
    auto* made = new Sink;  // never destroyed: threads may log while statics go away
    made->logger = std::make_shared<spdlog::logger>("weir", made->out);
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

}  // namespace

void log_start(std::string_view component, LogLevel lowest) {
  sink().out->component = component;
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
  std::string line = begin_line(name(level), sink().out->component, message);
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
