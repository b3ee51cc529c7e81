#include "dataplane/observe/metrics.h"

namespace weir::observe {
namespace {

using base::MetricType;

double number(std::uint64_t value) { return static_cast<double>(value); }

base::Family pressure_actions(const base::PressureGauge& pressure) {
  using base::PressureAction;
  base::Family out{"weir_memory_pressure_actions_total",
                   "What was done because memory was short.",
                   MetricType::kCounter,
                   {},
                   {}};
  for (const auto& [name, action] : {std::pair("body_held", PressureAction::kHeldBody),
                                     {"keep_alive_ended", PressureAction::kClosedBehind},
                                     {"request_refused", PressureAction::kRefused},
                                     {"waiting_closed", PressureAction::kClosedWaiting}}) {
    out.samples.push_back({{{"action", name}}, number(pressure.counted(action))});
  }
  return out;
}

}  // namespace

WorkerMetrics::WorkerMetrics(std::vector<Seat> seats, const base::ProcessBudget& budget,
                             const Labels& labels, InstanceLabels instance)
    : seats_(std::move(seats)), budget_(budget), labels_(labels), instance_(std::move(instance)) {}

void WorkerMetrics::collect(std::vector<base::Family>& out) const {
  const auto sum = [this](Counter WorkerRecorder::Totals::* member) {
    double all = 0;
    for (const Seat& seat : seats_) all += number((seat.recorder->totals().*member).read());
    return all;
  };
  using Totals = WorkerRecorder::Totals;
  const auto with = [this](const char* name, const char* value) {
    base::MetricLabels labels = instance_.list();
    labels.emplace_back(name, value);
    return labels;
  };
  const double active = sum(&Totals::active);
  const double reading = sum(&Totals::reading);
  const double writing = sum(&Totals::writing);
  const double accepted = sum(&Totals::accepted);
  const double waiting = active > reading + writing ? active - reading - writing : 0;
  out.push_back(
      {"nginx_ingress_controller_nginx_process_connections",
       "current number of client connections with state {active, reading, writing, waiting}",
       MetricType::kGauge,
       {{with("state", "active"), active},
        {with("state", "reading"), reading},
        {with("state", "writing"), writing},
        {with("state", "waiting"), waiting}},
       {}});
  out.push_back({"nginx_ingress_controller_nginx_process_connections_total",
                 "total number of connections with state {accepted, handled}",
                 MetricType::kCounter,
                 {{with("state", "accepted"), accepted}, {with("state", "handled"), accepted}},
                 {}});
  out.push_back({"nginx_ingress_controller_nginx_process_requests_total",
                 "total number of client requests",
                 MetricType::kCounter,
                 {{instance_.list(), sum(&Totals::requests)}},
                 {}});
  out.push_back({"weir_unrouted_requests_total",
                 "Requests that no route took.",
                 MetricType::kCounter,
                 {{{}, sum(&Totals::unrouted)}},
                 {}});
  out.push_back({"weir_tls_connections_total",
                 "Client connections accepted on TLS listeners.",
                 MetricType::kCounter,
                 {{{}, sum(&Totals::accepted_tls)}},
                 {}});
  out.push_back({"weir_refused_connections_total",
                 "Client connections turned away at accept.",
                 MetricType::kCounter,
                 {{{}, sum(&Totals::refused)}},
                 {}});
  collect_loops(out);
}

void WorkerMetrics::collect_loops(std::vector<base::Family>& out) const {
  base::Family iterations{"weir_loop_iterations_total",
                          "Turns of a worker's event loop.",
                          MetricType::kCounter,
                          {},
                          {}};
  base::Family events{
      "weir_loop_events_total", "I/O events that a worker handled.", MetricType::kCounter, {}, {}};
  base::Family busy{"weir_loop_busy_seconds_total",
                    "Time a worker spent outside of epoll_wait.",
                    MetricType::kCounter,
                    {},
                    {}};
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const loop::Loop::Figures& figures = seats_[i].loop->figures();
    const base::MetricLabels labels = {{"worker", std::to_string(i)}};
    iterations.samples.push_back(
        {labels, number(figures.iterations.load(std::memory_order_relaxed))});
    events.samples.push_back({labels, number(figures.events.load(std::memory_order_relaxed))});
    busy.samples.push_back({labels, number(figures.busy_ns.load(std::memory_order_relaxed)) / 1e9});
  }
  for (base::Family* one : {&iterations, &events, &busy}) out.push_back(std::move(*one));
  const auto gauge = [&out](const char* name, const char* help, double value) {
    out.push_back({name, help, MetricType::kGauge, {{{}, value}}, {}});
  };
  gauge("weir_budget_bytes", "Bytes of buffers charged to the byte budget.",
        number(budget_.used()));
  gauge("weir_budget_limit_bytes", "Limit of the byte budget; 0: none.", number(budget_.limit()));
  gauge("weir_memory_pressure",
        "Level of memory pressure: 0 none, 1 from 80 % of the limit, 2 from 90 %, 3 from 95 %.",
        number(static_cast<std::uint64_t>(budget_.pressure().level())));
  out.push_back(pressure_actions(budget_.pressure()));
  gauge("weir_label_sets", "Sets of route labels that metrics know.", number(labels_.size()));
  out.push_back({"weir_label_sets_overflow_total",
                 "Routes whose requests count as _other because the bound was reached.",
                 MetricType::kCounter,
                 {{{}, number(labels_.overflows())}},
                 {}});
}

}  // namespace weir::observe
