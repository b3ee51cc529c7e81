#pragma once

#include <string>
#include <vector>

#include "common/base/budget.h"
#include "common/base/metrics.h"
#include "common/loop/loop.h"
#include "dataplane/observe/labels.h"
#include "dataplane/observe/recorder.h"

namespace weir::observe {

// Labels that every ingress-nginx series carries; its dashboards select by them.
struct InstanceLabels {
  std::string controller_namespace;
  std::string controller_class;
  std::string controller_pod;
  base::MetricLabels list() const;
};

// Requests, durations and sizes by route, with ingress-nginx's names and labels, summed over the
// workers when somebody asks.
class TrafficMetrics final : public base::MetricSource {
 public:
  // labels, recorders: borrowed for the object's life.
  TrafficMetrics(const Labels& labels, std::vector<const WorkerRecorder*> recorders,
                 InstanceLabels instance);
  void collect(std::vector<base::Family>& out) const override;

 private:
  const Labels& labels_;
  std::vector<const WorkerRecorder*> recorders_;
  InstanceLabels instance_;
};

// Connections and request totals of the process (nginx_process_*), and Weir's own figures of loops
// and byte budget.
class WorkerMetrics final : public base::MetricSource {
 public:
  struct Seat {
    const WorkerRecorder* recorder;
    const loop::Loop* loop;
  };
  // All borrowed for the object's life.
  WorkerMetrics(std::vector<Seat> seats, const base::ProcessBudget& budget, const Labels& labels,
                InstanceLabels instance);
  void collect(std::vector<base::Family>& out) const override;

 private:
  void collect_loops(std::vector<base::Family>& out) const;

  std::vector<Seat> seats_;
  const base::ProcessBudget& budget_;
  const Labels& labels_;
  InstanceLabels instance_;
};

// CPU, memory, files and start of this process from /proc, and build_info.
class ProcessMetrics final : public base::MetricSource {
 public:
  ProcessMetrics(std::string version, InstanceLabels instance);
  void collect(std::vector<base::Family>& out) const override;

 private:
  std::string version_;
  InstanceLabels instance_;
};

// Resident set of this process in bytes, 0 when unknown. Cheap (one system call), any thread; in a
// forked child it is still its parent's.
std::uint64_t resident_bytes();

}  // namespace weir::observe
