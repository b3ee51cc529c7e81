#include "dataplane/admin/page_thread.h"

#include <memory>
#include <utility>

namespace weir::admin {

PageThread::PageThread(unsigned index, worker::Offload& offload, std::vector<Served> served)
    : worker_(index, budget_, offload), served_(std::move(served)), thread_([this] { run(); }) {}

PageThread::~PageThread() {
  worker_.loop().stop();
  thread_.join();
}

void PageThread::run() {
  std::vector<std::unique_ptr<Door>> doors;
  for (Served& one : served_) {
    doors.push_back(std::make_unique<Door>(worker_, one.pages, std::move(one.socket)));
  }
  worker_.loop().run();
}

}  // namespace weir::admin
