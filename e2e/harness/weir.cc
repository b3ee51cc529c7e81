#include "e2e/harness/weir.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "e2e/harness/client.h"

namespace weir::e2e {

Weir::Weir(int number, const std::string& kubeconfig, const std::string& folder,
           std::vector<std::string> controller_args)
    : number_(number),
      first_(9'000 + number * 10),
      kubeconfig_(kubeconfig),
      folder_(folder),
      controller_args_(std::move(controller_args)) {
  ::mkdir(folder_.c_str(), 0700);
  start_dataplane();
  start_controller();
}

void Weir::start_dataplane() {
  dataplane_ =
      Process({WEIR_BIN_DIR "/weir-dataplane", "--control-socket", folder_ + "/control.sock",
               "--admin-port", std::to_string(first_ + 2), "--workers", "1", "--shutdown-delay",
               "0", "--drain-timeout", "1s", "--access-log-path", folder_ + "/access.log"},
              folder_ + "/dataplane.log");
}

void Weir::start_controller() {
  std::vector<std::string> command = {WEIR_BIN_DIR "/weir-controller",
                                      "--kubeconfig",
                                      kubeconfig_,
                                      "--control-socket",
                                      folder_ + "/control.sock",
                                      "--http-port",
                                      std::to_string(http()),
                                      "--https-port",
                                      std::to_string(https()),
                                      "--admin-port",
                                      std::to_string(first_ + 3),
                                      "--publish-status-address",
                                      "192.0.2." + std::to_string(number_ + 1),
                                      "--pod-name",
                                      "replica-" + std::to_string(number_),
                                      "--pod-namespace",
                                      "weir",
                                      "--settings",
                                      "weir/weir"};
  command.insert(command.end(), controller_args_.begin(), controller_args_.end());
  controller_ = Process(command, folder_ + "/controller.log");
}

bool Weir::wait_ready(Millis patience) {
  return eventually(
             [this] {
               return admin_status("/readyz") == 200 || !controller_.running() ||
                      !dataplane_.running();
             },
             patience) &&
         controller_.running() && dataplane_.running();
}

void Weir::stop() {
  controller_.terminate();
  dataplane_.terminate();
}

std::string Weir::admin(const std::string& path) const {
  return ask(static_cast<std::uint16_t>(first_ + 3), {.host = "localhost", .target = path}).body;
}

int Weir::admin_status(const std::string& path) const {
  return ask(static_cast<std::uint16_t>(first_ + 3), {.host = "localhost", .target = path}).status;
}

std::uint64_t Weir::cpu() const {
  return cpu_nanoseconds(controller_.pid()) + cpu_nanoseconds(dataplane_.pid());
}

std::string Weir::log() const {
  std::ifstream file(folder_ + "/controller.log");
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

}  // namespace weir::e2e
