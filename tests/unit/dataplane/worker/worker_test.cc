#include "dataplane/worker/worker.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace weir::worker {
namespace {

using std::chrono::milliseconds;

class Mortal final : public Buried {
 public:
  explicit Mortal(std::function<void()> at_end) : at_end_(std::move(at_end)) {}
  ~Mortal() override { at_end_(); }

 private:
  std::function<void()> at_end_;
};

class WorkerTest : public testing::Test {
 protected:
  base::ProcessBudget process_;
  Offload offload_{1, 4};
  std::string ended_;
};

TEST_F(WorkerTest, ABuriedObjectLivesUntilTheEndOfTheIteration) {
  Worker worker(3, process_, offload_);
  EXPECT_EQ(worker.index(), 3U);
  worker.loop().post([&] {
    worker.bury(std::make_unique<Mortal>([&] { ended_ += "a"; }));
    EXPECT_EQ(ended_, "");
  });
  worker.loop().run_once(milliseconds(0));
  EXPECT_EQ(ended_, "a");
}

TEST_F(WorkerTest, AnObjectThatBuriesAnotherAtItsEndIsFollowedByIt) {
  Worker worker(0, process_, offload_);
  worker.bury(std::make_unique<Mortal>([&] {
    ended_ += "a";
    worker.bury(std::make_unique<Mortal>([&] { ended_ += "b"; }));
  }));
  worker.loop().run_once(milliseconds(0));
  EXPECT_EQ(ended_, "ab");
}

TEST_F(WorkerTest, TheWorkersEndTakesBuriedAndAdoptedObjectsWithTheirBuffers) {
  {
    Worker worker(0, process_, offload_);
    Slice held = worker.buffers().copy("held by a connection");
    worker.adopt(std::make_unique<Mortal>([&, slice = std::move(held)] { ended_ += "adopted "; }));
    worker.bury(std::make_unique<Mortal>([&] {
      ended_ += "buried ";
      worker.bury(std::make_unique<Mortal>([&] { ended_ += "late "; }));
    }));
  }
  EXPECT_NE(ended_.find("adopted"), std::string::npos);
  EXPECT_NE(ended_.find("buried"), std::string::npos);
  EXPECT_NE(ended_.find("late"), std::string::npos);
  EXPECT_EQ(process_.used(), 0U);
}

TEST_F(WorkerTest, AnAdoptedObjectEndsWhenItBuriesItself) {
  Worker worker(0, process_, offload_);
  auto object = std::make_unique<Mortal>([&] { ended_ += "x"; });
  Mortal& self = *object;
  worker.adopt(std::move(object));
  worker.loop().run_once(milliseconds(0));
  EXPECT_EQ(ended_, "");
  worker.bury(self);
  worker.loop().run_once(milliseconds(0));
  EXPECT_EQ(ended_, "x");
}

TEST_F(WorkerTest, TheScratchIsOneBufferOfTheDocumentedSize) {
  Worker worker(0, process_, offload_);
  EXPECT_EQ(worker.scratch().size(), Worker::kScratch);
  EXPECT_EQ(worker.scratch().data(), worker.scratch().data());
}

}  // namespace
}  // namespace weir::worker
