#include "dataplane/supervisor/supervisor.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <utility>

#include "common/base/log.h"
#include "common/process/keeper.h"
#include "dataplane/supervisor/capabilities.h"
#include "dataplane/supervisor/listen_sockets.h"
#include "dataplane/supervisor/packet.h"
#include "dataplane/supervisor/worker_process.h"

namespace weir::supervisor {
namespace {

class Supervisor final : private process::Kept, private loop::IoHandler {
 public:
  Supervisor(const SupervisorOptions& options, base::UniqueFd control)
      : options_(options),
        control_(std::move(control)),
        keeper_({"worker process", options.longest_silence}, *this) {}
  ~Supervisor() override { close_channel(); }

  int run() { return keeper_.run(); }

 private:
  base::Result<pid_t> start() override;
  void ended() override { close_channel(); }
  void on_io(std::uint32_t) override { answer(); }
  void close_channel();
  void answer();
  void answer_listen(const base::Json& question);
  void reply(const std::vector<int>& fds);
  void reply_error(const std::string& text);

  const SupervisorOptions& options_;
  const base::UniqueFd control_;
  ListenSockets sockets_;
  process::Keeper keeper_;
  base::UniqueFd channel_;
  loop::IoToken token_;
};

base::Result<pid_t> Supervisor::start() {
  auto spawned = spawn_worker(options_.worker_command);
  if (!spawned.ok()) return std::move(spawned).error();
  channel_ = std::move(spawned.value().channel);
  token_ = keeper_.loop().add(channel_.get(), *this, EPOLLIN);
  return spawned.value().pid;
}

void Supervisor::close_channel() {
  keeper_.loop().remove(std::exchange(token_, {}));
  channel_.reset();
}

void Supervisor::reply(const std::vector<int>& fds) {
  base::Json message = base::Json::object();
  message.set("ok", true);
  if (auto sent = send_packet(channel_.get(), message, fds, true); !sent.ok()) {
    base::log_warn("worker process not answered", {{"reason", sent.error().text}});
  }
}

void Supervisor::reply_error(const std::string& text) {
  base::log_error("worker process refused", {{"reason", text}});
  base::Json message = base::Json::object();
  message.set("ok", false);
  message.set("error", text);
  [[maybe_unused]] const auto sent = send_packet(channel_.get(), message, {}, true);
}

void Supervisor::answer_listen(const base::Json& question) {
  const model::Bind bind{question["address"].as_string(),
                         static_cast<std::uint16_t>(question["port"].as_int()),
                         question["udp"].as_bool()};
  if (question["op"].as_string() == "unlisten") {
    sockets_.close(bind);
    return reply({});
  }
  const auto fds = sockets_.open(bind, static_cast<std::size_t>(question["sockets"].as_int()));
  if (!fds.ok()) return reply_error(fds.error().text);
  reply(fds.value());
}

void Supervisor::answer() {
  auto packet = receive_packet(channel_.get());
  if (!packet.ok()) return close_channel();  // its end follows by SIGCHLD, or the watchdog's
  keeper_.heard();
  const base::Json& question = packet.value().message;
  const std::string& op = question["op"].as_string();
  if (op == "alive") return;
  if (op == "listen" || op == "unlisten") return answer_listen(question);
  if (op == "control") return reply({control_.get()});
  reply_error("supervisor channel: unknown operation '" + op + "'");
}

}  // namespace

int run_supervisor(const SupervisorOptions& options) {
  use_bind_capability();
  auto control = listen_unix(options.control_socket);
  if (!control.ok()) {
    base::log_error("dataplane cannot start", {{"reason", control.error().text}});
    return 1;
  }
  int code = 0;
  {
    Supervisor supervisor(options, std::move(control).value());
    code = supervisor.run();
  }
  unlink(options.control_socket.c_str());
  return code;
}

}  // namespace weir::supervisor
