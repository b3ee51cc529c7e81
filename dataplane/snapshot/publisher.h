#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/fd.h"
#include "common/base/unique_function.h"
#include "common/loop/loop.h"
#include "dataplane/snapshot/builder.h"

namespace weir::snapshot {

// One worker as this room sees it. Everything but loop() is called on the worker's thread.
class WorkerSeat {
 public:
  virtual ~WorkerSeat() = default;
  virtual loop::Loop& loop() = 0;
  virtual void swap(const Swap& swap) = 0;
  virtual void add_socket(const std::string& listener, const std::string& bind,
                          base::UniqueFd socket) = 0;
  virtual void remove_socket(const std::string& listener, const std::string& bind) = 0;
};

// Sockets that begin or end with a snapshot; sockets[i] is for worker i.
struct SocketChange {
  std::string listener;
  std::string bind;
  std::vector<base::UniqueFd> sockets;  // empty: the workers let go of theirs
};

// Hands snapshots to every worker and tells when all have swapped. Belongs to the configuration
// thread but for current().
class Publisher {
 public:
  // home: the configuration thread's loop. All borrowed; the workers' loops must have stopped
  // before the publisher dies, or never run a task again.
  Publisher(loop::Loop& home, std::vector<WorkerSeat*> workers)
      : home_(home), workers_(std::move(workers)) {}

  // done runs on home's thread after the last worker has swapped; publications end in their order.
  // Old sockets go before the swap and new ones come after it: whoever is in a backlog is accepted
  // under a snapshot that knows the listener.
  void publish(Swap swap, std::vector<SocketChange> sockets, base::UniqueFunction<void()> done);
  // Only sockets, for a bind that succeeded later.
  void add_sockets(SocketChange change);

  // The last published snapshot, for dump. Any thread.
  std::shared_ptr<const exchange::Snapshot> current() const;
  std::size_t workers() const { return workers_.size(); }

 private:
  struct Round;
  void finish(std::uint64_t round);

  loop::Loop& home_;
  std::vector<WorkerSeat*> workers_;
  std::uint64_t rounds_ = 0;
  std::map<std::uint64_t, base::UniqueFunction<void()>> waiting_;
  mutable std::mutex mutex_;  // guards current_
  std::shared_ptr<const exchange::Snapshot> current_;
};

}  // namespace weir::snapshot
