#include "dataplane/worker_thread.h"

#include "dataplane/upstream/recycled.h"

namespace weir {

WorkerThread::WorkerThread(unsigned index, const Shared& shared)
    : spans_(shared.spans),
      index_(index),
      watched_("worker " + std::to_string(index)),
      worker_(index, shared.budget, shared.offload),
      recorder_(shared.labels, shared.log.lane(index)),
      upstreams_(upstream::make_upstreams(worker_, {worker_.buffers(), heads_, upstream_limits_},
                                          {shared.workers, shared.zone})),
      context_{worker_,   heads_, live_,          *upstreams_,
               recorder_, {},     &shared.limits, &shared.spans.lane(index)},
      acceptors_(listener::make_acceptors(context_, shared.caps, shared.drain_bound)) {}

WorkerThread::~WorkerThread() {
  stop();
  acceptors_->close_all();
  // What the connections buried goes while the parts that they borrow are still there.
  worker_.loop().run_once(base::Duration::zero());
}

void WorkerThread::start() {
  thread_ = std::thread([this] {
    watched_.enter();
    worker_.loop().run();
  });
}

void WorkerThread::stop() {
  if (!thread_.joinable()) return;
  worker_.loop().stop();
  thread_.join();
}

void WorkerThread::swap(const snapshot::Swap& swap) {
  live_.replace(swap.snapshot);
  recorder_.set_access_log(swap.snapshot->settings.access_log);
  spans_.configure(index_, swap.snapshot->settings.tracing);
  for (const std::uint32_t index : swap.removed_clusters) upstreams_->on_cluster_removed(index);
  for (const std::string& name : swap.changed_clusters) {
    const upstream::Cluster* const cluster = swap.snapshot->clusters.find(name);
    if (cluster != nullptr) upstreams_->on_cluster_changed(*cluster);
  }
}

void WorkerThread::beat() {
  watched_.answered();
  for (const std::uint64_t now = acceptors_->refused(); refused_ < now; ++refused_) {
    recorder_.connection_refused();
  }
}

void WorkerThread::trim() {
  worker_.buffers().trim();
  heads_.trim();
  acceptors_->trim();
  upstreams_->trim();
  upstream::RecycledMemory::trim_thread();
}

void WorkerThread::add_socket(const std::string& listener, const std::string& bind,
                              base::UniqueFd socket) {
  acceptors_->add(listener, bind, std::move(socket));
}

void WorkerThread::remove_socket(const std::string& listener, const std::string& bind) {
  acceptors_->remove(listener, bind);
}

}  // namespace weir
