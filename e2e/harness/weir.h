#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "e2e/harness/process.h"

namespace weir::e2e {

// One replica: weir-dataplane and weir-controller on an API server; it publishes the address
// 192.0.2.<number + 1>. Ports are fixed by its number: the tests have a network namespace of their
// own. Killed at the end.
class Weir {
 public:
  // folder: for sockets and logs. controller_args: further flags.
  Weir(int number, const std::string& kubeconfig, const std::string& folder,
       std::vector<std::string> controller_args = {});

  void start_dataplane();
  void start_controller();
  bool wait_ready(Millis patience = kPatience);
  void kill_controller() { controller_.kill(); }
  void stop_dataplane() { dataplane_.terminate(); }
  void hold_dataplane() { dataplane_.hold(); }
  void let_dataplane_go() { dataplane_.let_go(); }
  void stop();  // SIGTERM to both, and waits

  std::uint16_t http() const { return static_cast<std::uint16_t>(first_); }
  std::uint16_t https() const { return static_cast<std::uint16_t>(first_ + 1); }
  // The controller's GET /metrics, /reports, ...
  std::string admin(const std::string& path) const;
  int admin_status(const std::string& path) const;
  // CPU of controller and dataplane so far, nanoseconds.
  std::uint64_t cpu() const;
  std::string log() const;

 private:
  const int number_;
  const int first_;
  const std::string kubeconfig_;
  const std::string folder_;
  const std::vector<std::string> controller_args_;
  Process dataplane_, controller_;
};

}  // namespace weir::e2e
