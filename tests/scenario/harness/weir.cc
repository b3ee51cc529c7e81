#include "tests/scenario/harness/weir.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/json.h"

namespace weir::scenario {
namespace {

std::string program(const std::string& name) { return std::string(WEIR_BIN_DIR) + "/" + name; }

void put_file(const std::string& path, const std::string& text) {
  const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  ASSERT_TRUE(fd.valid()) << path;
  ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

// "2026-11-24T09:40:07.123456Z" -> microseconds of the day.
std::int64_t parse_micros(const std::string& time) {
  int hour = 0, minute = 0, second = 0, micro = 0;
  if (std::sscanf(time.c_str(), "%*d-%*d-%*dT%d:%d:%d.%dZ", &hour, &minute, &second, &micro) != 4) {
    return 0;
  }
  return ((hour * 60LL + minute) * 60 + second) * 1'000'000 + micro;
}

}  // namespace

std::int64_t micros_of_day() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return (now.tv_sec % 86'400) * 1'000'000LL + now.tv_nsec / 1'000;
}

Weir::Weir(const std::map<std::string, std::string>& files, WeirOptions options)
    : options_(std::move(options)) {
  const char* temporary = std::getenv("TMPDIR");
  root_ = std::string(temporary != nullptr ? temporary : "/tmp") + "/weir-scenario-XXXXXX";
  if (::mkdtemp(root_.data()) == nullptr) return;
  for (const std::string& folder : {manifests(), run_folder()}) ::mkdir(folder.c_str(), 0700);
  for (const auto& [name, yaml] : files) put_file(manifests() + "/" + name, yaml);
  // Somebody else may take a port between the choice and the start.
  for (int tries = 0; tries < 10 && !ready_; ++tries) ready_ = start();
  EXPECT_TRUE(ready_) << "Weir did not get ready; its log:\n" << log();
}

Weir::~Weir() {
  if (::testing::Test::HasFailure()) {
    const std::string text = log();
    std::printf("--- log of Weir, last part\n%s---\n",
                text.substr(text.size() > 6'000 ? text.size() - 6'000 : 0).c_str());
  }
  // weirctl killed outright would leave its children to their own death signals.
  if (up_.pid() > 0) stop(Millis(5'000 * kSlowness));
  for (const pid_t pid : {supervisor(), controller()}) {
    if (up_.pid() > 0) send_signal(pid, SIGKILL);
  }
  up_ = Process();
  controller_ = Process();
  dataplane_ = Process();
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

void Weir::start_dataplane() {
  std::vector<std::string> command = {program("weir-dataplane"),
                                      "--control-socket",
                                      run_folder() + "/control.sock",
                                      "--dump-socket",
                                      run_folder() + "/dump.sock",
                                      "--admin-port",
                                      std::to_string(admin_port()),
                                      "--workers",
                                      std::to_string(options_.workers),
                                      "--shutdown-delay",
                                      "0",
                                      "--access-log-path",
                                      root_ + "/access.log"};
  dataplane_ = Process(command, root_ + "/log");
}

void Weir::start_controller() {
  std::vector<std::string> command = {program("weir-controller"),
                                      "--manifests",
                                      manifests(),
                                      "--control-socket",
                                      run_folder() + "/control.sock",
                                      "--http-port",
                                      std::to_string(http_port()),
                                      "--https-port",
                                      std::to_string(https_port()),
                                      "--admin-port",
                                      std::to_string(controller_admin_port()),
                                      "--bind-address",
                                      "127.0.0.1",
                                      "--watch-ingress-without-class"};
  command.insert(command.end(), options_.controller_args.begin(), options_.controller_args.end());
  if (!options_.access_log) command.push_back("--disable-access-log");
  controller_ = Process(command, root_ + "/log");
}

bool Weir::start() {
  first_port_ = free_ports(4);
  if (options_.separate) {
    start_dataplane();
    start_controller();
  } else {
    std::vector<std::string> command = {program("weirctl"),
                                        "up",
                                        "-f",
                                        manifests(),
                                        "--http-port",
                                        std::to_string(http_port()),
                                        "--https-port",
                                        std::to_string(https_port()),
                                        "--admin-port",
                                        std::to_string(admin_port()),
                                        "--workers",
                                        std::to_string(options_.workers),
                                        "--run-folder",
                                        run_folder(),
                                        "--bind-address",
                                        "127.0.0.1",
                                        "--access-log-path",
                                        options_.access_log ? root_ + "/access.log" : "off"};
    for (const std::string& one : options_.controller_args) {
      command.insert(command.end(), {"--controller-arg", one});
    }
    up_ = Process(command, root_ + "/log");
  }
  const Deadline deadline(options_.patience);
  const pid_t pid = options_.separate ? dataplane_.pid() : up_.pid();
  return eventually(
             [&] {
               return !alive(pid) ||
                      (admin_ready(admin_port()) && admin_ready(controller_admin_port()));
             },
             deadline) &&
         alive(pid);
}

void Weir::write(const std::string& name, const std::string& yaml) {
  const std::string hidden = manifests() + "/." + name;
  put_file(hidden, yaml);
  ASSERT_EQ(::rename(hidden.c_str(), (manifests() + "/" + name).c_str()), 0);
}

void Weir::write_in_place(const std::string& name, const std::string& yaml) {
  put_file(manifests() + "/" + name, yaml);
}

void Weir::remove(const std::string& name) { ::unlink((manifests() + "/" + name).c_str()); }

bool Weir::change(const std::string& name, const std::string& yaml) {
  const std::size_t before = live_count();
  write(name, yaml);
  return wait_live(before);
}

bool Weir::change_by_removing(const std::string& name) {
  const std::size_t before = live_count();
  remove(name);
  return wait_live(before);
}

bool Weir::restart_controller() {
  const std::size_t before = live_count();
  start_controller();
  return eventually([&] {
    const std::vector<LiveLine>& lines = live_lines();
    return std::any_of(lines.begin() + static_cast<std::ptrdiff_t>(before), lines.end(),
                       [](const LiveLine& line) { return line.first == "ticket_keys default"; });
  });
}

void Weir::follow() {
  const base::UniqueFd fd(::open((root_ + "/log").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 65'536> chunk;
  for (ssize_t got;
       (got = ::pread(fd.get(), chunk.data(), chunk.size(), static_cast<off_t>(log_at_))) > 0;) {
    log_rest_.append(chunk.data(), static_cast<std::size_t>(got));
    log_at_ += static_cast<std::size_t>(got);
  }
  for (std::size_t end; (end = log_rest_.find('\n')) != std::string::npos;) {
    const std::string line = log_rest_.substr(0, end);
    log_rest_.erase(0, end + 1);
    if (line.find("\"message\":\"live\"") == std::string::npos) continue;
    const auto json = base::Json::parse(line);
    if (!json.ok()) continue;
    live_.push_back(
        {parse_micros(json.value()["time"].as_string()), json.value()["first"].as_string()});
  }
}

const std::vector<LiveLine>& Weir::live_lines() {
  follow();
  return live_;
}

std::size_t Weir::live_count() { return live_lines().size(); }

bool Weir::wait_live(std::size_t more_than) {
  return eventually([&] { return live_count() > more_than; });
}

std::string Weir::admin(std::uint16_t port, const std::string& path) const {
  return ask_once({.port = port, .patience = Millis(5'000 * kSlowness)},
                  {.target = path, .host = "localhost", .fields = {{"Connection", "close"}}})
      .message.body;
}

bool Weir::admin_ready(std::uint16_t port) const {
  return ask_once({.port = port, .patience = Millis(2'000 * kSlowness)},
                  {.target = "/readyz", .host = "localhost", .fields = {{"Connection", "close"}}})
             .status == 200;
}

double Weir::metric(std::uint16_t port, const std::string& name, const std::string& labels) const {
  std::istringstream lines(admin(port, "/metrics"));
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, name.size(), name) != 0 || line.size() <= name.size()) continue;
    if (line[name.size()] != '{' && line[name.size()] != ' ') continue;
    if (line.find(labels) == std::string::npos) continue;
    sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  }
  return sum;
}

pid_t Weir::child_of(pid_t parent, const std::string& name) const {
  for (const pid_t child : children_of(parent)) {
    if (name.empty() || command_of(child) == name) return child;
  }
  return -1;
}

pid_t Weir::controller() const {
  return options_.separate ? controller_.pid() : child_of(up_.pid(), "weir-controller");
}

pid_t Weir::supervisor() const {
  return options_.separate ? dataplane_.pid() : child_of(up_.pid(), "weir-dataplane");
}

pid_t Weir::worker() const { return child_of(supervisor(), ""); }

void Weir::kill_controller() { controller_ = Process(); }

void Weir::signal_dataplane(int number) const { send_signal(supervisor(), number); }

std::vector<std::optional<int>> Weir::stop(Millis patience) {
  const Deadline deadline(patience);
  if (!options_.separate) {
    up_.signal(SIGTERM);
    return {up_.wait(deadline)};
  }
  dataplane_.signal(SIGTERM);
  controller_.signal(SIGTERM);
  return {dataplane_.wait(deadline), controller_.wait(deadline)};
}

std::string Weir::log() const { return text_of(root_ + "/log"); }
std::string Weir::access_log() const { return text_of(root_ + "/access.log"); }

}  // namespace weir::scenario
