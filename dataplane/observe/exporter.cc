#include "dataplane/observe/exporter.h"

#include <cstring>

#include "common/base/log.h"
#include "dataplane/observe/otlp.h"
#include "dataplane/observe/otlp_post.h"

namespace weir::observe {
namespace {

constexpr std::chrono::milliseconds kEvery{500};
constexpr std::chrono::milliseconds kFirstWait{1'000};     // after a post that was not taken …
constexpr std::chrono::milliseconds kLongestWait{30'000};  // … twice as long each time, at most

}  // namespace

void SpanExporter::Lane::write(const Trace& trace, const ExchangeRecord& record,
                               base::TimePoint now) {
  if (ring_ == nullptr) return;
  spans_.clear();
  const std::size_t count = append_spans(trace, record, now, spans_);
  char* const place = ring_->reserve(spans_.size());
  if (place == nullptr) {
    dropped_.add(count);
    return;
  }
  std::memcpy(place, spans_.data(), spans_.size());
  ring_->give(spans_.size());
  written_.add(count);
}

SpanExporter::SpanExporter(std::size_t workers, std::string instance)
    : instance_(std::move(instance)) {
  for (std::size_t i = 0; i < workers; ++i) lanes_.push_back(std::make_unique<Lane>());
}

SpanExporter::~SpanExporter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void SpanExporter::configure(std::size_t worker, const model::Tracing& tracing) {
  Lane& lane = *lanes_[worker];
  const std::lock_guard lock(mutex_);
  target_.collector = tracing.collector;
  target_.service = tracing.service;
  if (tracing.collector.empty()) return;
  if (lane.ring_ == nullptr) {
    lane.ring_ = std::make_unique<LogRing>(kRing);
    target_.rings.push_back(lane.ring_.get());
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void SpanExporter::run() {
  OtlpPost post;
  std::chrono::milliseconds wait = kEvery;
  std::unique_lock lock(mutex_);
  while (!stop_) {
    changed_.wait_for(lock, wait, [this] { return stop_; });
    const Target target = target_;
    lock.unlock();
    const bool taken = post_all(target, post);
    if (!taken && wait < kFirstWait) {
      base::log_warn("spans wait: the collector does not take them",
                     {{"collector", target.collector}, {"reason", post.problem()}});
    }
    wait = taken ? kEvery : std::min(std::max(kFirstWait, wait * 2), kLongestWait);
    lock.lock();
  }
}

// False when something has to wait.
bool SpanExporter::post_all(const Target& target, OtlpPost& post) {
  for (LogRing* const ring : target.rings) {
    const std::string_view spans = ring->peek();
    if (spans.empty()) continue;
    if (target.collector.empty()) {  // tracing has been switched off meanwhile
      ring->take(spans.size());
      continue;
    }
    const auto outcome =
        post.post(target.collector, export_request(target.service, instance_, spans));
    posts_.add(1);
    if (outcome != OtlpPost::Outcome::kTaken) failed_posts_.add(1);
    if (outcome == OtlpPost::Outcome::kLater) return false;
    if (outcome == OtlpPost::Outcome::kRefused) {
      lost_.add(count_spans(spans));
      base::log_warn("the collector refused spans",
                     {{"collector", target.collector}, {"reason", post.problem()}});
    }
    ring->take(spans.size());
  }
  return true;
}

void SpanExporter::collect(std::vector<base::Family>& out) const {
  double written = 0;
  double dropped = 0;
  for (const auto& lane : lanes_) {
    written += static_cast<double>(lane->written_.read());
    dropped += static_cast<double>(lane->dropped_.read());
  }
  const auto counter = base::MetricType::kCounter;
  out.push_back({"weir_trace_spans_total",
                 "Spans put into the queue to the collector.",
                 counter,
                 {{{}, written}},
                 {}});
  out.push_back(
      {"weir_trace_spans_dropped_total",
       "Spans that the collector never got, by what did not take them.",
       counter,
       {{{{"why", "queue"}}, dropped}, {{{"why", "collector"}}, static_cast<double>(lost_.read())}},
       {}});
  const double failed = static_cast<double>(failed_posts_.read());
  out.push_back({"weir_trace_exports_total",
                 "Requests to the collector, by whether it took them.",
                 counter,
                 {{{{"result", "taken"}}, static_cast<double>(posts_.read()) - failed},
                  {{{"result", "failed"}}, failed}},
                 {}});
}

}  // namespace weir::observe
