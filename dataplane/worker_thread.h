#pragma once

#include <memory>
#include <thread>

#include "common/process/stack_log.h"
#include "dataplane/exchange/service.h"
#include "dataplane/listener/acceptor.h"
#include "dataplane/observe/recorder.h"
#include "dataplane/snapshot/publisher.h"

namespace weir {

// One worker from loop to acceptors, wired bottom up. Made and destroyed on the main thread, with
// the worker's thread not running; swap() and the socket calls come on the worker's thread.
class WorkerThread final : public snapshot::WorkerSeat {
 public:
  // Borrowed for the worker's life.
  struct Shared {
    base::ProcessBudget& budget;
    worker::Offload& offload;
    shared::ConnectionCaps& caps;
    shared::ClientLimits& limits;
    const observe::Labels& labels;
    observe::AccessLog& log;
    observe::SpanExporter& spans;
    unsigned workers;         // of the process
    const std::string& zone;  // where it runs; empty: unknown
    base::Duration drain_bound;
  };
  WorkerThread(unsigned index, const Shared& shared);
  ~WorkerThread() override;

  loop::Loop& loop() override { return worker_.loop(); }
  void swap(const snapshot::Swap& swap) override;
  void add_socket(const std::string& listener, const std::string& bind,
                  base::UniqueFd socket) override;
  void remove_socket(const std::string& listener, const std::string& bind) override;

  void start();
  void stop();  // waits for the thread; open connections stay open until the end of the object
  // A beat is on its way and due within this time. Any thread.
  void expect_beat(std::chrono::milliseconds within) { watched_.ask(within); }
  // Called on the worker's thread twice a second: takes over what the acceptors counted.
  void beat();
  // Called on the worker's thread: frees what it keeps for the next requests.
  void trim();
  listener::Acceptors& acceptors() { return *acceptors_; }
  const observe::WorkerRecorder& recorder() const { return recorder_; }

 private:
  observe::SpanExporter& spans_;
  const unsigned index_;
  process::WatchedThread watched_;
  worker::Worker worker_;
  codec::HeadPool heads_;
  codec::Limits upstream_limits_;
  exchange::LiveSnapshot live_;
  observe::WorkerRecorder recorder_;
  std::unique_ptr<upstream::Upstreams> upstreams_;
  exchange::ExchangeContext context_;
  std::unique_ptr<listener::Acceptors> acceptors_;
  std::uint64_t refused_ = 0;  // of the acceptors' count, passed on to the recorder
  std::thread thread_;
};

}  // namespace weir
