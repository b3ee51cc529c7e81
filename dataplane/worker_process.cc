#include "dataplane/worker_process.h"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#include <csignal>
#include <cstdlib>

#include "common/base/text.h"
#include "common/process/stack_log.h"
#include "dataplane/admin/admin.h"
#include "dataplane/dashboard/dashboard.h"
#include "dataplane/filters/order.h"
#include "dataplane/limits.h"
#include "dataplane/memory_watch.h"
#include "dataplane/observe/metrics.h"
#include "dataplane/snapshot/cluster_metrics.h"
#include "dataplane/snapshot/configuration.h"
#include "dataplane/snapshot/dump.h"
#include "dataplane/supervisor/channel.h"
#include "dataplane/worker_thread.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr const char* kVersion = "0.1.0";
constexpr std::size_t kOffloadQueue = 256;
constexpr milliseconds kBeat{500};
constexpr milliseconds kLook{50};  // between two looks at the memory in use
constexpr milliseconds kDrainPoll{50};

observe::InstanceLabels instance_labels() {
  const auto value = [](const char* name) {
    const char* const text = std::getenv(name);
    return std::string(text == nullptr ? "" : text);
  };
  return {value("POD_NAMESPACE"), "weir.ingress/controller", value("POD_NAME")};
}

class ChannelSockets final : public snapshot::SocketSource {
 public:
  explicit ChannelSockets(supervisor::Channel& channel) : channel_(channel) {}
  base::Result<std::vector<base::UniqueFd>> listen(const model::Bind& bind,
                                                   std::uint32_t sockets) override {
    auto opened = channel_.listen(bind, sockets);
    if (opened.ok()) held_.push_back(bind);
    return opened;
  }
  base::Result<void> unlisten(const model::Bind& bind) override {
    std::erase(held_, bind);
    return channel_.unlisten(bind);
  }
  // The supervisor lets go of everything. What a socket's last owner closes is closed: before that
  // the kernel would go on taking connections that nobody accepts.
  void unlisten_all() {
    for (const model::Bind& bind : std::exchange(held_, {})) {
      if (const auto closed = channel_.unlisten(bind); !closed.ok()) {
        base::log_warn("bind not released", {{"reason", closed.error().text}});
      }
    }
  }

 private:
  supervisor::Channel& channel_;
  std::vector<model::Bind> held_;
};

// Everything of the process. The main thread runs the configuration's loop: control socket,
// builder, channel, signals, watchdog.
class Process final : private loop::IoHandler {
 public:
  // What it was given to listen on; dump and dashboard may be empty.
  struct Sockets {
    base::UniqueFd admin, dump, dashboard, control;
  };
  Process(const Options& options, supervisor::Channel& channel, observe::AccessLog& log,
          Sockets sockets);
  ~Process() override;
  void run() { loop_.run(); }

 private:
  snapshot::Configuration::Parts configuration_parts();
  admin::Admin::Parts admin_parts(base::UniqueFd tcp, base::UniqueFd dump);
  observe::WorkerMetrics worker_metrics() const;
  std::vector<const observe::WorkerRecorder*> recorders() const;
  std::vector<const observe::StreamTable*> stream_tables() const;
  std::unique_ptr<dashboard::Dashboard> make_dashboard(base::UniqueFd tcp);
  std::string dump_text() const;
  void on_io(std::uint32_t events) override;  // a signal
  void on_beat();
  void on_progress();
  void beat();
  void on_memory();
  void give_back();
  void begin_end();
  void begin_drain();
  void on_drain_step();
  template <typename Call>
  void on_every_worker(Call call);

  const Options& options_;
  supervisor::Channel& channel_;
  observe::AccessLog& log_;
  process::WatchedThread watched_{"configuration"};
  loop::Loop loop_;
  base::ProcessBudget budget_;
  worker::Offload offload_;
  shared::ConnectionCaps caps_;
  shared::ClientLimits limits_;
  observe::Labels labels_;
  observe::SpanExporter spans_;
  ChannelSockets sockets_;
  std::vector<std::unique_ptr<WorkerThread>> workers_;
  snapshot::Configuration configuration_;
  snapshot::Receiver receiver_;
  observe::TrafficMetrics traffic_metrics_;
  observe::WorkerMetrics worker_metrics_;
  observe::StreamMetrics stream_metrics_;
  observe::ProcessMetrics process_metrics_;
  snapshot::ClusterMetrics cluster_metrics_;
  std::atomic<bool> ending_{false};
  base::UniqueFd signals_;
  loop::IoToken signal_token_;
  loop::Timer beat_;
  base::TimePoint next_progress_;
  loop::Timer look_;
  MemoryWatch memory_;
  loop::Timer end_;
  base::TimePoint drain_deadline_;
  bool draining_ = false;
  std::shared_ptr<std::atomic<std::size_t>> silent_ =
      std::make_shared<std::atomic<std::size_t>>(0);  // workers that owe an answer to the beat
  admin::Admin admin_;
  std::unique_ptr<dashboard::Dashboard> dashboard_;  // null: none
};

std::vector<std::unique_ptr<WorkerThread>> make_workers(unsigned count,
                                                        const WorkerThread::Shared& shared) {
  std::vector<std::unique_ptr<WorkerThread>> out;
  for (unsigned i = 0; i < count; ++i) out.push_back(std::make_unique<WorkerThread>(i, shared));
  return out;
}

base::UniqueFd open_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return base::UniqueFd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

Process::Process(const Options& options, supervisor::Channel& channel, observe::AccessLog& log,
                 Sockets sockets)
    : options_(options),
      channel_(channel),
      log_(log),
      budget_(options.memory_limit),
      offload_(options.workers, kOffloadQueue),
      spans_(options.workers, instance_labels().controller_pod),
      sockets_(channel),
      workers_(
          make_workers(options.workers, {budget_, offload_, caps_, limits_, labels_, log, spans_,
                                         options.workers, options.zone, options.drain_timeout})),
      configuration_(configuration_parts()),
      receiver_(loop_, std::move(sockets.control), configuration_),
      traffic_metrics_(labels_, recorders(), instance_labels()),
      worker_metrics_(worker_metrics()),
      stream_metrics_(stream_tables()),
      process_metrics_(kVersion, instance_labels()),
      cluster_metrics_([this] { return configuration_.current(); }),
      signals_(open_signals()),
      beat_(loop_.timers(), [this] { on_beat(); }),
      look_(loop_.timers(), [this] { on_memory(); }),
      memory_(budget_, [this] { give_back(); }),
      end_(loop_.timers(), [this] { draining_ ? on_drain_step() : begin_drain(); }),
      admin_(admin_parts(std::move(sockets.admin), std::move(sockets.dump))),
      dashboard_(make_dashboard(std::move(sockets.dashboard))) {
  watched_.enter();
  signal_token_ = loop_.add(signals_.get(), *this, EPOLLIN);
  for (const auto& worker : workers_) worker->start();
  on_beat();
  on_memory();
}

Process::~Process() {
  loop_.remove(signal_token_);
  for (const auto& worker : workers_) worker->stop();
  // A verification may still run for a client that is gone: it ends into a loop, so before them.
  offload_.stop();
}

snapshot::Configuration::Parts Process::configuration_parts() {
  std::vector<snapshot::WorkerSeat*> seats;
  for (const auto& worker : workers_) seats.push_back(worker.get());
  return {loop_,
          filters::filter_kinds(),
          labels_,
          std::move(seats),
          sockets_,
          instance_labels().list(),
          [this] { on_progress(); }};
}

admin::Admin::Parts Process::admin_parts(base::UniqueFd tcp, base::UniqueFd dump) {
  return {std::move(tcp),
          std::move(dump),
          [this] { return configuration_.ready() && !ending_.load(std::memory_order_relaxed); },
          [this] { return dump_text(); },
          {&traffic_metrics_, &worker_metrics_, &stream_metrics_, &process_metrics_,
           &cluster_metrics_, &configuration_, &log_, &spans_},
          offload_,
          options_.workers};
}

std::unique_ptr<dashboard::Dashboard> Process::make_dashboard(base::UniqueFd tcp) {
  if (!tcp.valid()) return nullptr;
  return std::make_unique<dashboard::Dashboard>(
      dashboard::Dashboard::Parts{std::move(tcp),
                                  [this] { return configuration_.current(); },
                                  {&traffic_metrics_, &worker_metrics_},
                                  offload_,
                                  options_.workers + 1});
}

std::vector<const observe::WorkerRecorder*> Process::recorders() const {
  std::vector<const observe::WorkerRecorder*> out;
  for (const auto& worker : workers_) out.push_back(&worker->recorder());
  return out;
}

std::vector<const observe::StreamTable*> Process::stream_tables() const {
  std::vector<const observe::StreamTable*> out;
  for (const auto& worker : workers_) out.push_back(&worker->recorder().streams());
  return out;
}

observe::WorkerMetrics Process::worker_metrics() const {
  std::vector<observe::WorkerMetrics::Seat> seats;
  for (const auto& worker : workers_) seats.push_back({&worker->recorder(), &worker->loop()});
  return {std::move(seats), budget_, labels_, instance_labels()};
}

std::string Process::dump_text() const {
  const auto current = configuration_.current();
  return current == nullptr ? "{}\n" : snapshot::dump(*current).to_pretty_string() + "\n";
}

template <typename Call>
void Process::on_every_worker(Call call) {
  for (const auto& worker : workers_) {
    worker->loop().post([call, one = worker.get()] { call(*one); });
  }
}

// Feeds the watchdog only while every worker still answers.
void Process::on_beat() {
  beat_.arm(loop_.now() + kBeat);
  beat();
}

// A configuration of a hundred thousand routes takes seconds of this thread, more where processors
// are scarce: it is at work, not stuck.
void Process::on_progress() {
  const base::TimePoint now = loop_.clock().now();
  if (now < next_progress_) return;
  next_progress_ = now + kBeat;
  beat();
}

void Process::beat() {
  watched_.ask(2 * kBeat);
  if (silent_->load(std::memory_order_acquire) != 0) return;
  channel_.alive();
  silent_->store(workers_.size(), std::memory_order_release);
  for (const auto& worker : workers_) worker->expect_beat(kBeat);
  on_every_worker([silent = silent_](WorkerThread& worker) {
    worker.beat();
    silent->fetch_sub(1, std::memory_order_acq_rel);
  });
}

void Process::on_memory() {
  look_.arm(loop_.now() + kLook);
  if (memory_.look(loop_.now()) < base::Pressure::kRequests) return;
  on_every_worker([](WorkerThread& worker) { worker.acceptors().shed(); });
}

// The allocator follows behind the last worker.
void Process::give_back() {
  auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
  on_every_worker([this, left](WorkerThread& worker) {
    worker.trim();
    if (left->fetch_sub(1) == 1) loop_.post([] { ::malloc_trim(0); });
  });
}

void Process::on_io(std::uint32_t) {
  signalfd_siginfo signal{};
  if (::read(signals_.get(), &signal, sizeof signal) != sizeof signal) return;
  begin_end();
}

void Process::begin_end() {
  if (ending_.exchange(true)) return;
  base::log_info("ending: not ready, still accepting",
                 {{"delay_ms", options_.shutdown_delay.count()}});
  end_.arm(loop_.now() + options_.shutdown_delay);
}

void Process::begin_drain() {
  draining_ = true;
  drain_deadline_ = loop_.now() + options_.drain_timeout;
  base::log_info("draining", {{"connections", caps_.total()}});
  sockets_.unlisten_all();
  on_every_worker([](WorkerThread& worker) {
    worker.acceptors().start_drain();
    worker.acceptors().stop_accepting();
  });
  end_.arm(loop_.now() + kDrainPoll);
}

void Process::on_drain_step() {
  const bool late = loop_.now() >= drain_deadline_;
  if (caps_.total() > 0 && !late) return end_.arm(loop_.now() + kDrainPoll);
  base::log_info("drained", {{"connections_left", caps_.total()}});
  loop_.stop();
}

int fail(const base::Error& error) {
  base::log_error("the dataplane cannot start", {{"reason", error.text}});
  return 1;
}

int inherited_channel() {
  const char* const text = std::getenv("WEIR_SUPERVISOR_FD");
  const auto number = text == nullptr ? std::nullopt : base::parse_uint(text);
  return number ? static_cast<int>(*number) : -1;
}

}  // namespace

int run_worker_process(const Options& options) {
  ::prctl(PR_SET_DUMPABLE, 0);
  std::signal(SIGPIPE, SIG_IGN);
  process::log_stacks_at_death("dataplane");
  raise_file_limit();
  base::UniqueFd line(inherited_channel());
  if (!line.valid()) return fail(base::invalid("--worker: WEIR_SUPERVISOR_FD names no descriptor"));
  supervisor::Channel channel(std::move(line));
  // Before any thread starts, so that every thread inherits the mask.
  const base::UniqueFd masked = open_signals();
  auto control = channel.control_socket();
  if (!control.ok()) return fail(control.error());
  auto admin = admin::listen_tcp(options.admin_address, options.admin_port);
  if (!admin.ok()) return fail(admin.error());
  base::UniqueFd dump;
  if (!options.dump_socket.empty()) {
    auto opened = admin::listen_unix(options.dump_socket);
    if (!opened.ok()) return fail(opened.error());
    dump = std::move(opened).value();
  }
  base::UniqueFd page;
  if (options.dashboard_port != 0) {
    auto opened = admin::listen_tcp(options.dashboard_address, options.dashboard_port);
    if (!opened.ok()) return fail(std::move(opened).error().within("dashboard"));
    page = std::move(opened).value();
  }
  auto log = observe::AccessLog::open(options.access_log_path, options.workers);
  if (!log.ok()) return fail(log.error());
  Process process(
      options, channel, *log.value(),
      {std::move(admin).value(), std::move(dump), std::move(page), std::move(control).value()});
  process.run();
  return 0;
}

}  // namespace weir
