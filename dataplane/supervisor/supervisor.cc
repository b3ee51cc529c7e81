#include "dataplane/supervisor/supervisor.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/loop/loop.h"
#include "dataplane/supervisor/capabilities.h"
#include "dataplane/supervisor/listen_sockets.h"
#include "dataplane/supervisor/packet.h"
#include "dataplane/supervisor/worker_process.h"

namespace weir::supervisor {
namespace {

using std::chrono::milliseconds;

constexpr auto kQuick = std::chrono::seconds(1);  // a life shorter than this counts as a quick end
constexpr int kQuickEndsForgiven = 2;
constexpr milliseconds kFirstBackOff{100};
constexpr milliseconds kLongestBackOff{5'000};
constexpr milliseconds kLook{250};  // how often the watchdog looks

base::UniqueFd signal_fd() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&set, number);
  WEIR_CHECK(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
  // Means nothing to a proxy, and the worker process inherits that they are ignored.
  for (const int number : {SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2}) signal(number, SIG_IGN);
  return base::UniqueFd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

class Supervisor {
 public:
  Supervisor(const SupervisorOptions& options, base::UniqueFd control)
      : options_(options),
        control_(std::move(control)),
        signals_(signal_fd()),
        signal_handler_(*this),
        channel_handler_(*this),
        watchdog_(loop_.timers(), [this] { look(); }),
        restart_(loop_.timers(), [this] { start_worker(); }) {
    WEIR_CHECK(signals_.valid());
    loop_.add(signals_.get(), signal_handler_, EPOLLIN);
  }

  int run() {
    start_worker();
    look();
    while (!over_) loop_.run_once(std::chrono::seconds(10));
    return exit_code_;
  }

 private:
  struct OnSignal final : loop::IoHandler {
    explicit OnSignal(Supervisor& owner) : supervisor(owner) {}
    void on_io(std::uint32_t) override { supervisor.read_signals(); }
    Supervisor& supervisor;
  };
  struct OnChannel final : loop::IoHandler {
    explicit OnChannel(Supervisor& owner) : supervisor(owner) {}
    void on_io(std::uint32_t) override { supervisor.answer(); }
    Supervisor& supervisor;
  };

  void start_worker();
  void worker_ended(int status);
  void close_channel();
  void read_signals();
  void reap();
  void stop(int signal_number);
  void look();
  void answer();
  void answer_listen(const base::Json& question);
  void reply(const std::vector<int>& fds);
  void reply_error(const std::string& text);

  const SupervisorOptions& options_;
  const base::UniqueFd control_;
  loop::Loop loop_;
  ListenSockets sockets_;
  base::UniqueFd signals_;
  OnSignal signal_handler_;
  OnChannel channel_handler_;
  loop::Timer watchdog_;
  loop::Timer restart_;
  WorkerProcess worker_;
  loop::IoToken channel_token_;
  base::TimePoint started_;
  base::TimePoint heard_;
  bool aborted_ = false;
  int quick_ends_ = 0;
  bool stopping_ = false;
  bool over_ = false;
  int exit_code_ = 0;
};

void Supervisor::start_worker() {
  started_ = heard_ = loop_.clock().now();
  aborted_ = false;
  auto spawned = spawn_worker(options_.worker_command);
  if (!spawned.ok()) {
    base::log_error("worker process not started", {{"reason", spawned.error().text}});
    restart_.arm(loop_.clock().now() + kLongestBackOff);
    return;
  }
  worker_ = std::move(spawned).value();
  channel_token_ = loop_.add(worker_.channel.get(), channel_handler_, EPOLLIN);
  base::log_info("worker process started", {{"pid", worker_.pid}});
}

void Supervisor::close_channel() {
  loop_.remove(std::exchange(channel_token_, {}));
  worker_.channel.reset();
}

void Supervisor::worker_ended(int status) {
  close_channel();
  worker_.pid = -1;
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (stopping_) {
    over_ = true;
    exit_code_ = code;
    return;
  }
  quick_ends_ = loop_.clock().now() - started_ < kQuick ? quick_ends_ + 1 : 0;
  milliseconds pause{0};
  if (quick_ends_ > kQuickEndsForgiven) {
    const int doublings = std::min(quick_ends_ - kQuickEndsForgiven - 1, 10);
    pause = std::min(kFirstBackOff * (1 << doublings), kLongestBackOff);
  }
  base::log_error("worker process ended; starting it again",
                  {{"code", code}, {"pause_ms", pause.count()}});
  if (pause.count() == 0) return start_worker();
  restart_.arm(loop_.clock().now() + pause);
}

void Supervisor::read_signals() {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) {
      reap();
    } else {
      stop(static_cast<int>(info.ssi_signo));
    }
  }
}

// As pid 1 this process inherits every orphan.
void Supervisor::reap() {
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    if (pid == worker_.pid) worker_ended(status);
  }
}

void Supervisor::stop(int signal_number) {
  stopping_ = true;
  base::log_info("stopping", {{"signal", signal_number}});
  if (worker_.pid > 0) {
    kill(worker_.pid, SIGTERM);
  } else {
    over_ = true;
  }
}

void Supervisor::look() {
  watchdog_.arm(loop_.clock().now() + kLook);
  if (worker_.pid <= 0) return;
  const auto silent = loop_.clock().now() - heard_;
  if (silent < options_.longest_silence) return;
  // First a core with a stack; one that cannot even abort is killed.
  const int number = aborted_ ? SIGKILL : SIGABRT;
  base::log_error("worker process is silent",
                  {{"pid", worker_.pid},
                   {"silent_ms", std::chrono::duration_cast<milliseconds>(silent).count()},
                   {"signal", number}});
  kill(worker_.pid, number);
  aborted_ = true;
  heard_ = loop_.clock().now();
}

void Supervisor::reply(const std::vector<int>& fds) {
  base::Json message = base::Json::object();
  message.set("ok", true);
  if (auto sent = send_packet(worker_.channel.get(), message, fds, true); !sent.ok()) {
    base::log_warn("worker process not answered", {{"reason", sent.error().text}});
  }
}

void Supervisor::reply_error(const std::string& text) {
  base::log_error("worker process refused", {{"reason", text}});
  base::Json message = base::Json::object();
  message.set("ok", false);
  message.set("error", text);
  [[maybe_unused]] const auto sent = send_packet(worker_.channel.get(), message, {}, true);
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
  auto packet = receive_packet(worker_.channel.get());
  if (!packet.ok()) return close_channel();  // its end follows by SIGCHLD, or the watchdog's
  heard_ = loop_.clock().now();
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
