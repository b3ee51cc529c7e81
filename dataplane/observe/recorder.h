#pragma once

#include "dataplane/observe/access_log.h"
#include "dataplane/observe/counters.h"
#include "dataplane/observe/labels.h"
#include "dataplane/observe/record.h"
#include "dataplane/observe/series.h"

namespace weir::observe {

// Counts and logs the exchanges of one worker. Methods belong to the worker's thread; the public
// numbers may be read by any.
class WorkerRecorder final : public Recorder {
 public:
  // labels, lane, clock: borrowed for the recorder's life.
  WorkerRecorder(const Labels& labels, AccessLog::Lane& lane,
                 const base::Clock& clock = base::system_clock(),
                 std::size_t most_series = SeriesTable::kMost);

  void record(const ExchangeRecord& record) override;
  void expect(std::uint32_t labels, int status, std::string_view method) override {
    series_.fetch(key_of(labels, status, method));
  }
  void connection_opened(bool tls) override;
  void connection_closed() override;
  void connection_state(ConnectionState from, ConnectionState to) override;
  void connection_refused() override { totals_.refused.add(1); }
  void set_access_log(bool on) override { log_on_ = on; }

  void record_stream(const ExchangeRecord& record) override {
    if (log_on_) lane_.write(record, clock_.wall_now());
  }

  const SeriesTable& series() const { return series_; }
  const StreamTable& streams() const { return streams_; }

  struct Totals {
    Counter requests;
    Counter unrouted;  // no route took them
    Counter accepted;
    Counter accepted_tls;
    Counter refused;
    Counter active;  // these three are gauges
    Counter reading;
    Counter writing;
  };
  const Totals& totals() const { return totals_; }

 private:
  static SeriesKey key_of(std::uint32_t labels, int status, std::string_view method) {
    const bool usual = status >= 100 && status < 600;
    return {labels, static_cast<std::uint16_t>(usual ? status : 0), method_index(method)};
  }

  AccessLog::Lane& lane_;
  const base::Clock& clock_;
  SeriesTable series_;
  Totals totals_;
  bool log_on_ = true;
};

}  // namespace weir::observe
