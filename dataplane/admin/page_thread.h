#pragma once

#include <thread>
#include <vector>

#include "dataplane/admin/door.h"

namespace weir::admin {

// Pages served on a thread, a loop and a budget of their own, apart from the process's, so that
// nothing that a worker or a slow client does, nor a budget that is used up, can hold them up.
class PageThread {
 public:
  struct Served {
    Pages& pages;  // borrowed; nobody else touches them any more
    base::UniqueFd socket;
  };
  // offload: borrowed. index: of the worker that the thread is.
  PageThread(unsigned index, worker::Offload& offload, std::vector<Served> served);
  ~PageThread();  // ends the thread and its connections
  PageThread(const PageThread&) = delete;
  PageThread& operator=(const PageThread&) = delete;

 private:
  void run();

  base::ProcessBudget budget_;
  worker::Worker worker_;
  std::vector<Served> served_;
  std::thread thread_;
};

}  // namespace weir::admin
