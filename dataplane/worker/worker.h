#pragma once

#include <array>
#include <memory>
#include <span>
#include <unordered_map>

#include "common/base/budget.h"
#include "common/loop/loop.h"
#include "dataplane/worker/buffer.h"
#include "dataplane/worker/offload.h"

namespace weir::worker {

// Something whose memory must outlive the call stack that ended it.
class Buried {
 public:
  virtual ~Buried() = default;
};

// What one worker thread owns: its loop, buffers, receive scratch and byte budget. Upper rooms keep
// their own per-worker objects (pools, recorder, acceptors) beside it; main wires them. All of it
// belongs to the worker's thread.
class Worker {
 public:
  static constexpr std::size_t kScratch = 256 * 1024;
  // What one read may bring at each level of memory pressure; never less than a TLS record.
  static constexpr std::array<std::size_t, base::kPressures> kReceives = {kScratch, 32 * 1024,
                                                                          16 * 1024, 16 * 1024};

  // index: 0-based, stable for the process. process, offload: borrowed for the worker's life.
  Worker(unsigned index, base::ProcessBudget& process, Offload& offload,
         const base::Clock& clock = base::system_clock());
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  unsigned index() const { return index_; }
  loop::Loop& loop() { return loop_; }
  BufferPool& buffers() { return buffers_; }
  base::WorkerBudget& budget() { return budget_; }
  Offload& offload() { return offload_; }
  // One receive buffer for all sockets: filled and fully consumed within one handler call.
  std::span<char> scratch() { return {scratch_.get(), kScratch}; }
  // The part of it to receive into: what one read brings may have to be kept.
  std::span<char> receive_room() { return {scratch_.get(), receive_most()}; }
  std::size_t receive_most() const {
    return kReceives[static_cast<std::size_t>(budget_.pressure())];
  }

  // Destroys the object at the end of this loop iteration: how connections and exchanges end inside
  // their own callbacks.
  void bury(std::unique_ptr<Buried> object);

  // For objects that end themselves, such as a socket that lingers after its owner is gone: keeps
  // the object until bury(it), at the latest until the worker ends.
  void adopt(std::unique_ptr<Buried> object);
  void bury(Buried& adopted);

 private:
  class Graveyard;

  const unsigned index_;
  loop::Loop loop_;
  base::WorkerBudget budget_;
  BufferPool buffers_;
  Offload& offload_;
  std::unique_ptr<char[]> scratch_;
  std::unordered_map<Buried*, std::unique_ptr<Buried>> adopted_;
  std::unique_ptr<Graveyard> graveyard_;
};

}  // namespace weir::worker
