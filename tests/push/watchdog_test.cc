// Fault row 12: a thread of the dataplane that never comes back, and one that crashes. The machine
// code of a function that workers call is overwritten in the running process, so that nothing in
// the program has to know of this test.

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

constexpr const char* kProgram = WEIR_BIN_DIR "/weir-dataplane";
constexpr const char* kFunction = "_ZN4weir8exchange14start_exchangeE";  // for each request
#if defined(__aarch64__)
constexpr std::string_view kJumpToItself("\x00\x00\x00\x14", 4);
constexpr std::string_view kIllegal("\x00\x00\x00\x00", 4);
#else
constexpr std::string_view kJumpToItself("\xEB\xFE", 2);
constexpr std::string_view kIllegal("\x0F\x0B", 2);
#endif
// Five seconds until the abort, and the stacks; a thread that spins without a processor is given
// longer.
constexpr Millis kLongest = 2 * kPatience;

// ThreadSanitizer holds signals back from a thread that makes no call; AddressSanitizer reports
// crashes by itself.
#if defined(__SANITIZE_THREAD__)
constexpr bool kSignalsArrive = false;
#else
constexpr bool kSignalsArrive = true;
#endif

std::string output_of(const std::string& command) {
  std::string out;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char bytes[4'096];
  while (const std::size_t got = std::fread(bytes, 1, sizeof bytes, pipe)) out.append(bytes, got);
  ::pclose(pipe);
  return out;
}

// Where the function begins in the program's file.
std::uint64_t function_offset() {
  std::istringstream symbols(output_of("nm --defined-only " + std::string(kProgram)));
  for (std::string address, kind, name; symbols >> address >> kind >> name;) {
    if ((kind == "T" || kind == "t") && name.starts_with(kFunction))
      return std::stoull(address, nullptr, 16);
  }
  return 0;
}

std::uint64_t load_address(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.ends_with("/weir-dataplane")) return std::stoull(line, nullptr, 16);
  }
  return 0;
}

void overwrite(pid_t pid, std::uint64_t address, std::string_view code) {
  std::fstream memory("/proc/" + std::to_string(pid) + "/mem",
                      std::ios::in | std::ios::out | std::ios::binary);
  memory.seekp(static_cast<std::streamoff>(address));
  memory.write(code.data(), static_cast<std::streamsize>(code.size()));
  memory.flush();
  ASSERT_TRUE(memory.good()) << "cannot write the memory of process " << pid;
}

struct Stack {
  std::string thread, build_id;
  int signal = 0;
  bool late = false;
  std::vector<std::string> frames;
};

std::string value_of(const std::string& line, const std::string& key) {
  const std::string start = "\"" + key + "\":";
  const auto at = line.find(start);
  if (at == std::string::npos) return "";
  const auto from = at + start.size();
  if (line[from] == '"') return line.substr(from + 1, line.find('"', from + 1) - from - 1);
  return line.substr(from, line.find_first_of(",}", from) - from);
}

std::vector<Stack> stacks_in(const std::string& log) {
  std::vector<Stack> out;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (value_of(line, "message") != "stack of a thread") continue;
    Stack stack{value_of(line, "thread"),
                value_of(line, "build_id"),
                std::stoi(value_of(line, "signal")),
                value_of(line, "late") == "true",
                {}};
    std::istringstream frames(value_of(line, "frames"));
    for (std::string frame; frames >> frame;) stack.frames.push_back(frame);
    EXPECT_TRUE(line.starts_with("{\"time\":\"20") && line.ends_with("\"}")) << line;
    out.push_back(std::move(stack));
  }
  return out;
}

std::string names_of(const Stack& stack) {
  const std::string module = "weir-dataplane+";
  std::string command = "addr2line -Cfe " + std::string(kProgram);
  for (const std::string& frame : stack.frames) {
    if (frame.starts_with(module)) command += " " + frame.substr(module.size());
  }
  return output_of(command);
}

class PushWatchdog : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can write into a process that is not dumpable";
  }
  void break_next_request(std::string_view code) {
    const std::uint64_t offset = function_offset();
    ASSERT_NE(offset, 0U) << "no symbol " << kFunction;
    std::ostringstream text;
    text << "weir-dataplane+0x" << std::hex << offset;
    top_ = text.str();
    ASSERT_EQ(stage_.get("/").status, 200);
    worker_ = stage_.dataplane.worker();
    overwrite(worker_, load_address(worker_) + offset, code);
    client_.emplace(stage_.door());
    start_ = Clock::now();
    client_->send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  }
  bool replaced() const {
    const pid_t now = stage_.dataplane.worker();
    return now > 1 && now != worker_;
  }
  void expect_useful(const Stack& stack) const {
    EXPECT_EQ(stack.frames.at(0), top_);
    EXPECT_EQ(stack.build_id.size(), 40U);
    EXPECT_NE(output_of("readelf -n " + std::string(kProgram)).find(stack.build_id),
              std::string::npos);
    const std::string names = names_of(stack);
    for (const char* name : {"start_exchange", "Loop::run"}) {
      EXPECT_NE(names.find(name), std::string::npos) << name << " in\n" << names;
    }
  }

  Stage stage_{{.workers = 2}};
  std::optional<Client> client_;
  std::string top_;  // the frame in which the thread is
  pid_t worker_ = -1;
  Clock::time_point start_;
};

TEST_F(PushWatchdog, Row12AStuckThreadIsReplacedAndTheLogHasItsStack) {
  ASSERT_NO_FATAL_FAILURE(break_next_request(kJumpToItself));
  ASSERT_TRUE(eventually([&] { return replaced(); }, kLongest));
  const auto took = std::chrono::duration_cast<Millis>(Clock::now() - start_);
  std::printf("[ row 12: replaced after %ld ms ]\n", static_cast<long>(took.count()));
  const std::string log = stage_.dataplane.log();
  EXPECT_NE(log.find("worker process is silent"), std::string::npos);
  if (!kSignalsArrive) return;
  const std::vector<Stack> stacks = stacks_in(log);
  std::size_t late = 0;
  std::string threads;
  for (const Stack& stack : stacks) {
    threads += stack.thread + ",";
    EXPECT_EQ(stack.signal, SIGABRT);
    if (!stack.late) continue;
    ++late;
    EXPECT_TRUE(stack.thread.starts_with("worker ")) << stack.thread;
    expect_useful(stack);
  }
  EXPECT_EQ(late, 1U) << log;
  EXPECT_EQ(stacks.size(), 3U) << threads;
  EXPECT_NE(threads.find("configuration,"), std::string::npos) << threads;
}

TEST_F(PushWatchdog, Row11ACrashLeavesTheStackOfItsThread) {
  if (!kResidentTells) return;  // sanitizers report crashes by themselves
  ASSERT_NO_FATAL_FAILURE(break_next_request(kIllegal));
  ASSERT_TRUE(eventually([&] { return replaced(); }));
  const std::vector<Stack> stacks = stacks_in(stage_.dataplane.log());
  ASSERT_EQ(stacks.size(), 1U) << stage_.dataplane.log();
  EXPECT_EQ(stacks[0].signal, SIGILL);
  EXPECT_TRUE(stacks[0].thread.starts_with("worker ")) << stacks[0].thread;
  expect_useful(stacks[0]);
}

}  // namespace
}  // namespace weir::push
