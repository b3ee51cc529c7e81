#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/metrics.h"
#include "common/model/tracing.h"
#include "dataplane/observe/counters.h"
#include "dataplane/observe/log_ring.h"
#include "dataplane/observe/trace.h"

namespace weir::observe {

class OtlpPost;

// Takes spans to the collector. Workers put them into rings of their own and never wait: spans that
// find their ring full are dropped and counted. One thread, which exists from the first settings
// that name a collector, posts them; what a collector refuses for now stays in the ring and is
// tried again, what it refuses for good is counted as lost.
class SpanExporter final : public base::MetricSource {
 public:
  static constexpr std::size_t kRing = 512 * 1024;

  // One worker's end. That worker's thread.
  class Lane {
   public:
    void write(const Trace& trace, const ExchangeRecord& record, base::TimePoint now);

   private:
    friend class SpanExporter;
    std::unique_ptr<LogRing> ring_;  // made with the first settings that name a collector
    std::string spans_;
    Counter written_;
    Counter dropped_;
  };

  explicit SpanExporter(std::size_t workers, std::string instance);
  ~SpanExporter() override;  // tries once more to post what the rings still hold
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  Lane& lane(std::size_t worker) { return *lanes_[worker]; }
  // On the worker's own thread; each tells it, the last one counts.
  void configure(std::size_t worker, const model::Tracing& tracing);
  void collect(std::vector<base::Family>& out) const override;

 private:
  struct Target {
    std::string collector;
    std::string service;
    std::vector<LogRing*> rings;  // those that are there
  };
  void run();
  bool post_all(const Target& target, OtlpPost& post);

  const std::string instance_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  mutable std::mutex mutex_;  // guards target_ and stop_; no request takes it
  std::condition_variable changed_;
  Target target_;
  bool stop_ = false;
  Counter lost_;  // the thread counts these three
  Counter posts_;
  Counter failed_posts_;
  std::thread thread_;
};

}  // namespace weir::observe
