#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/scenario/harness/client.h"
#include "tests/scenario/harness/process.h"

namespace weir::scenario {

// One line of the controller's log that says "live": a transaction was acknowledged by every
// worker.
struct LiveLine {
  std::int64_t micros = 0;  // of the day, UTC
  std::string first;        // its first resource
};

struct WeirOptions {
  int workers = 2;
  bool separate = false;  // start both programs here instead of by weirctl up
  std::vector<std::string> controller_args = {};
  bool access_log = true;
  Millis patience = kPatience;  // until it is ready
};

// Both real programs on a folder of manifests. Ready when the constructor returns, or failed() says
// why. Everything is killed with the test.
class Weir {
 public:
  // files: name -> YAML, written before the start.
  explicit Weir(const std::map<std::string, std::string>& files, WeirOptions options = {});
  ~Weir();
  Weir(const Weir&) = delete;
  Weir& operator=(const Weir&) = delete;

  bool ready() const { return ready_; }
  std::uint16_t http_port() const { return first_port_; }
  std::uint16_t https_port() const { return static_cast<std::uint16_t>(first_port_ + 1); }
  std::uint16_t admin_port() const { return static_cast<std::uint16_t>(first_port_ + 2); }
  std::uint16_t controller_admin_port() const {
    return static_cast<std::uint16_t>(first_port_ + 3);
  }
  ClientOptions http() const { return {.port = http_port()}; }
  ClientOptions https(const std::string& sni) const {
    return {.port = https_port(), .tls = true, .sni = sni};
  }

  // Puts a file in its place at once, by rename.
  void write(const std::string& name, const std::string& yaml);
  // Opens, writes and closes it in its place, as an editor may.
  void write_in_place(const std::string& name, const std::string& yaml);
  void remove(const std::string& name);
  // Change and wait until it has been acknowledged. False at the deadline.
  bool change(const std::string& name, const std::string& yaml);
  bool change_by_removing(const std::string& name);
  // How many transactions with resources were acknowledged so far, and waiting for the next.
  std::size_t live_count();
  bool wait_live(std::size_t more_than);
  const std::vector<LiveLine>& live_lines();

  // GET on an admin port; the body, whatever the status. Empty when there is no answer.
  std::string admin(std::uint16_t port, const std::string& path) const;
  bool admin_ready(std::uint16_t port) const;
  // Sum over the samples of that name whose labels contain `labels`.
  double metric(std::uint16_t port, const std::string& name, const std::string& labels = "") const;

  pid_t controller() const;
  pid_t supervisor() const;
  pid_t worker() const;  // the process that serves
  // Only when separate.
  void kill_controller();
  void start_controller();
  // Starts it again and waits until it has said all that differs from what its predecessor had
  // sent: a transaction of that (its ticket keys are new) must not count as the answer to the
  // next change. False at the deadline.
  bool restart_controller();

  // SIGTERM to everything; the exit codes (of weirctl, or of dataplane and controller).
  std::vector<std::optional<int>> stop(Millis patience = kPatience);
  void signal_dataplane(int number) const;

  std::string log() const;
  std::string access_log() const;
  const std::string& folder() const { return root_; }
  std::string manifests() const { return root_ + "/manifests"; }
  std::string run_folder() const { return root_ + "/run"; }

 private:
  bool start();
  void start_dataplane();
  void follow();
  pid_t child_of(pid_t parent, const std::string& program) const;

  WeirOptions options_;
  std::string root_;
  std::uint16_t first_port_ = 0;
  bool ready_ = false;
  Process up_, dataplane_, controller_;
  std::size_t log_at_ = 0;
  std::string log_rest_;
  std::vector<LiveLine> live_;
};

// Microseconds of the day, UTC, by the clock that the log uses.
std::int64_t micros_of_day();

}  // namespace weir::scenario
