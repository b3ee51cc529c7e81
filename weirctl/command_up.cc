#include "weirctl/command.h"
#include "weirctl/up.h"

namespace weir::weirctl {
namespace {

class UpCommand final : public Command {
 public:
  void add_flags(base::Flags& flags) override {
    flags.add("file,f", o_.folder, "folder of manifests; edits are live at once")
        .offers({base::Flags::kFolder})
        .add("http-port", o_.http_port, "port for plain HTTP; 0: none")
        .add("https-port", o_.https_port, "port for HTTPS; 0: none")
        .add("admin-port", o_.admin_port,
             "the dataplane's health and metrics; the controller's is one higher; 0: none")
        .add("dashboard-port", o_.dashboard_port, "the dashboard, on 127.0.0.1; 0: none")
        .add("workers", o_.workers, "worker threads; 0: the CPU quota")
        .add("default-ssl-certificate", o_.default_ssl_certificate,
             "NAMESPACE/NAME of the Secret served without a better match")
        .add("access-log-path", o_.access_log_path,
             "file of the access log; empty: standard output; off: none")
        .offers({base::Flags::kFile})
        .add("bind-address", o_.bind_address,
             "IP addresses to listen on, separated by ','; empty: all")
        .add("log-level", o_.log_level, "debug, info, warn or error")
        .offers({"debug", "info", "warn", "error"})
        .add("run-folder", o_.run_folder, "folder of the sockets; empty: a fresh one")
        .offers({base::Flags::kFolder})
        .add("controller-arg", o_.controller_args,
             "a further argument for weir-controller; may be repeated");
  }
  int run() override { return up(o_); }

 private:
  UpOptions o_;
};

}  // namespace

std::unique_ptr<Command> make_up(const Invocation&) { return std::make_unique<UpCommand>(); }

}  // namespace weir::weirctl
