#include "weirctl/up.h"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "common/base/fd.h"
#include "common/base/ip.h"

namespace weir::weirctl {
namespace {

int complain(const std::string& text) {
  std::fprintf(stderr, "weirctl: %s\n", text.c_str());
  return 2;
}

// Why a port cannot be had, so that the message comes before anything has been started.
std::optional<std::string> port_problem(std::uint16_t port) {
  if (port == 0) return std::nullopt;
  const auto address = base::SocketAddress::parse("0.0.0.0", port);
  const base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), address.value().data(), address.value().size()) == 0 &&
      ::listen(fd.get(), 1) == 0)
    return std::nullopt;
  return base::system_error("port " + std::to_string(port), errno).text;
}

// Both processes and how they are waited for. Invariant: a pid is not -1 exactly while its process
// has not been reaped.
class Processes {
 public:
  Processes() {
    sigemptyset(&signals_);
    for (const int one : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&signals_, one);
    sigprocmask(SIG_BLOCK, &signals_, nullptr);
  }

  pid_t start(const std::vector<std::string>& command) {
    const pid_t pid = ::fork();
    if (pid != 0) {
      running_.push_back(pid);
      return pid;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    std::fprintf(stderr, "weirctl: cannot run %s\n", argv[0]);
    ::_exit(127);
  }

  // Waits for a signal (0) or for the end of a process that nobody asked to end (1); then ends the
  // rest.
  int wait() {
    int code = 0;
    for (bool ending = false; !running_.empty();) {
      int got = 0;
      if (sigwait(&signals_, &got) != 0) continue;
      if (got == SIGCHLD) {
        if (reap() && !ending) {
          code = 1;
          ending = true;
          end_all();
        }
      } else if (!ending) {
        ending = true;
        end_all();
      }
    }
    return code;
  }

 private:
  bool reap() {
    bool any = false;
    for (;;) {
      const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
      if (pid <= 0) return any;
      any = std::erase(running_, pid) > 0 || any;
    }
  }
  void end_all() const {
    for (const pid_t pid : running_) ::kill(pid, SIGTERM);
  }

  sigset_t signals_{};
  std::vector<pid_t> running_;
};

std::vector<std::string> dataplane_command(const UpOptions& o, const std::string& bin,
                                           const std::string& run) {
  std::vector<std::string> out = {bin + "/weir-dataplane",
                                  "--control-socket",
                                  run + "/control.sock",
                                  "--dump-socket",
                                  run + "/dump.sock",
                                  "--admin-port",
                                  std::to_string(o.admin_port),
                                  "--log-level",
                                  o.log_level,
                                  "--dashboard-port",
                                  std::to_string(o.dashboard_port),
                                  "--shutdown-delay",
                                  "0"};
  if (o.workers > 0) out.insert(out.end(), {"--workers", std::to_string(o.workers)});
  if (!o.access_log_path.empty() && o.access_log_path != "off")
    out.insert(out.end(), {"--access-log-path", o.access_log_path});
  return out;
}

std::vector<std::string> controller_command(const UpOptions& o, const std::string& bin,
                                            const std::string& run) {
  std::vector<std::string> out = {bin + "/weir-controller",
                                  "--manifests",
                                  o.folder,
                                  "--control-socket",
                                  run + "/control.sock",
                                  "--http-port",
                                  std::to_string(o.http_port),
                                  "--https-port",
                                  std::to_string(o.https_port),
                                  "--admin-port",
                                  std::to_string(o.admin_port == 0 ? 0 : o.admin_port + 1),
                                  "--log-level",
                                  o.log_level,
                                  "--watch-ingress-without-class",
                                  "--ingress-class-by-name"};
  if (!o.default_ssl_certificate.empty())
    out.insert(out.end(), {"--default-ssl-certificate", o.default_ssl_certificate});
  if (!o.bind_address.empty()) out.insert(out.end(), {"--bind-address", o.bind_address});
  if (o.access_log_path == "off") out.push_back("--disable-access-log");
  out.insert(out.end(), o.controller_args.begin(), o.controller_args.end());
  return out;
}

std::string fresh_folder() {
  const char* base = std::getenv("XDG_RUNTIME_DIR");
  std::string path = std::string(base != nullptr ? base : "/tmp") + "/weir-XXXXXX";
  return ::mkdtemp(path.data()) == nullptr ? "" : path;
}

}  // namespace

int up(const UpOptions& options) {
  if (!std::filesystem::is_directory(options.folder))
    return complain("-f '" + options.folder + "' is not a folder");
  for (const int port :
       {int{options.http_port}, int{options.https_port}, int{options.admin_port},
        int{options.dashboard_port}, options.admin_port == 0 ? 0 : options.admin_port + 1}) {
    if (const auto problem = port_problem(static_cast<std::uint16_t>(port)))
      return complain(*problem);
  }
  const bool own_folder = options.run_folder.empty();
  const std::string run = own_folder ? fresh_folder() : options.run_folder;
  if (run.empty()) return complain("cannot make a folder for the sockets");
  std::error_code ignored;
  if (!own_folder) std::filesystem::create_directories(run, ignored);
  const std::string bin = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
  Processes processes;
  processes.start(dataplane_command(options, bin, run));
  processes.start(controller_command(options, bin, run));
  std::fprintf(stderr, "weirctl: serving %s on http %u, https %u; sockets in %s\n",
               options.folder.c_str(), unsigned{options.http_port}, unsigned{options.https_port},
               run.c_str());
  if (options.dashboard_port != 0)
    std::fprintf(stderr, "weirctl: dashboard at http://127.0.0.1:%u/\n",
                 unsigned{options.dashboard_port});
  const int code = processes.wait();
  if (own_folder) std::filesystem::remove_all(run, ignored);
  return code;
}

}  // namespace weir::weirctl
