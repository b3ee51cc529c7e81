#include "dataplane/worker/worker.h"

#include <utility>
#include <vector>

#include "common/base/check.h"

namespace weir::worker {

class Worker::Graveyard final : public loop::Flushable {
 public:
  explicit Graveyard(loop::Loop& loop) : loop_(loop) {}
  ~Graveyard() override {
    loop_.flush_cancel(*this);
    WEIR_CHECK(dead_.empty());
  }

  void add(std::unique_ptr<Buried> object) {
    dead_.push_back(std::move(object));
    loop_.flush_later(*this);
  }
  void flush() override {
    ending_.swap(dead_);
    ending_.clear();
  }
  bool empty() const { return dead_.empty(); }

 private:
  loop::Loop& loop_;
  std::vector<std::unique_ptr<Buried>> dead_;
  std::vector<std::unique_ptr<Buried>> ending_;  // kept for its capacity
};

Worker::Worker(unsigned index, base::ProcessBudget& process, Offload& offload,
               const base::Clock& clock)
    : index_(index),
      loop_(clock),
      budget_(process),
      buffers_(budget_),
      offload_(offload),
      scratch_(new char[kScratch]),
      graveyard_(std::make_unique<Graveyard>(loop_)) {}

Worker::~Worker() {
  // An object's end may bury or adopt another; an endless chain is a broken invariant.
  for (int round = 0; round < 64 && !(adopted_.empty() && graveyard_->empty()); ++round) {
    while (!adopted_.empty()) bury(*adopted_.begin()->first);
    graveyard_->flush();
  }
}

void Worker::bury(std::unique_ptr<Buried> object) { graveyard_->add(std::move(object)); }

void Worker::adopt(std::unique_ptr<Buried> object) {
  Buried* key = object.get();
  adopted_.emplace(key, std::move(object));
}

void Worker::bury(Buried& adopted) {
  const auto found = adopted_.find(&adopted);
  WEIR_CHECK(found != adopted_.end());
  std::unique_ptr<Buried> object = std::move(found->second);
  adopted_.erase(found);
  bury(std::move(object));
}

}  // namespace weir::worker
