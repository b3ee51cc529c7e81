#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/fd.h"
#include "common/base/metrics.h"
#include "common/base/result.h"
#include "dataplane/observe/counters.h"
#include "dataplane/observe/log_line.h"
#include "dataplane/observe/log_ring.h"

namespace weir::observe {

// The access log: workers format lines into rings of their own, one writer thread takes them to the
// file in large writes. A worker never waits: a line that finds its ring full is dropped and
// counted. So is what the file does not take (a full disk, a closed pipe).
class AccessLog final : public base::MetricSource {
 public:
  static constexpr std::size_t kRing = 1024 * 1024;

  // One worker's end. That worker's thread.
  class Lane {
   public:
    void write(const ExchangeRecord& record, base::WallTime now);

   private:
    friend class AccessLog;
    Lane(AccessLog& log, std::size_t ring) : log_(log), ring_(ring) {}
    AccessLog& log_;
    LogRing ring_;
    LogLine line_;
    Counter lines_;
    Counter dropped_;
  };

  // path: appended to, made when missing; empty: standard output.
  //   errors: kSystem naming the path.
  static base::Result<std::unique_ptr<AccessLog>> open(const std::string& path, std::size_t workers,
                                                       std::size_t ring = kRing);
  AccessLog(base::UniqueFd file, std::size_t workers, std::size_t ring);
  ~AccessLog() override;  // writes what the rings still hold
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  Lane& lane(std::size_t worker) { return *lanes_[worker]; }
  void collect(std::vector<base::Family>& out) const override;
  std::uint64_t dropped() const;

 private:
  void run();
  bool write_all();  // true when there was something
  void write_lane(Lane& lane);
  void wake();

  base::UniqueFd file_;
  base::UniqueFd wake_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Counter lost_bytes_;  // the writer thread counts
  std::atomic<bool> woken_{false};
  std::atomic<bool> stop_{false};
  std::thread writer_;
};

}  // namespace weir::observe
