#include "dataplane/observe/recorder.h"

namespace weir::observe {

WorkerRecorder::WorkerRecorder(const Labels& labels, AccessLog::Lane& lane,
                               const base::Clock& clock, std::size_t most_series)
    : lane_(lane), clock_(clock), series_(labels, most_series) {}

void WorkerRecorder::record(const ExchangeRecord& record) {
  totals_.requests.add(1);
  if (record.labels == Labels::kNone) {
    totals_.unrouted.add(1);
  } else {
    series_.at(key_of(record.labels, record.status, record.method)).count(record);
  }
  if (log_on_) lane_.write(record, clock_.wall_now());
}

void WorkerRecorder::connection_opened(bool tls) {
  totals_.accepted.add(1);
  if (tls) totals_.accepted_tls.add(1);
  totals_.active.add(1);
}

void WorkerRecorder::connection_closed() { totals_.active.sub(1); }

// Waiting is what neither reads nor writes, so that only two numbers are kept.
void WorkerRecorder::connection_state(ConnectionState from, ConnectionState to) {
  if (from == ConnectionState::kReading) totals_.reading.sub(1);
  if (from == ConnectionState::kWriting) totals_.writing.sub(1);
  if (to == ConnectionState::kReading) totals_.reading.add(1);
  if (to == ConnectionState::kWriting) totals_.writing.add(1);
}

}  // namespace weir::observe
