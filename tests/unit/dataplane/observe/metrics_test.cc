#include "dataplane/observe/metrics.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>
#include <thread>

namespace weir::observe {
namespace {

using std::chrono::milliseconds;

// A recorder whose log goes to /dev/null.
struct Counted {
  explicit Counted(std::size_t workers = 1, std::size_t most_series = SeriesTable::kMost)
      : log(base::UniqueFd(::open("/dev/null", O_WRONLY | O_CLOEXEC)), workers, 64 * 1024) {
    for (std::size_t i = 0; i < workers; ++i) {
      recorders.push_back(
          std::make_unique<WorkerRecorder>(labels, log.lane(i), base::system_clock(), most_series));
    }
  }
  std::string text() {
    std::vector<const WorkerRecorder*> all;
    std::vector<WorkerMetrics::Seat> seats;
    for (const auto& one : recorders) {
      all.push_back(one.get());
      seats.push_back({one.get(), &loop});
    }
    const InstanceLabels instance{"weir-system", "weir.ingress/controller", "weir-0"};
    const TrafficMetrics traffic(labels, all, instance);
    const WorkerMetrics workers(seats, budget, labels, instance);
    const ProcessMetrics process("0.1.0", instance);
    return base::render({&traffic, &workers, &process, &log});
  }
  loop::Loop loop;
  base::ProcessBudget budget{1'000};
  Labels labels;
  AccessLog log;
  std::vector<std::unique_ptr<WorkerRecorder>> recorders;
};

ExchangeRecord request(std::uint32_t labels, int status = 200) {
  ExchangeRecord record;
  record.labels = labels;
  record.status = status;
  record.method = "GET";
  record.request_time = milliseconds(30);
  record.upstream_time = milliseconds(20);
  record.upstream_header = milliseconds(6);
  record.upstream_status = status;
  record.upstream = "10.0.0.1:80";
  record.request_bytes = 55;
  record.response_body_bytes = 5'000;
  record.response_bytes = 5'200;
  return record;
}

// The value of the line that starts with name and holds every part; -1 when there is none.
double value_of(const std::string& text, const std::string& name,
                const std::vector<std::string>& parts = {}) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const std::size_t blank = line.rfind(' ');
    bool fits = line.rfind(name, 0) == 0 && (line[name.size()] == '{' || line[name.size()] == ' ');
    for (const std::string& part : parts) fits = fits && line.find(part) != std::string::npos;
    if (fits) return std::stod(line.substr(blank));
  }
  return -1;
}

TEST(Metrics, HaveTheNamesLabelsAndBucketsOfIngressNginx) {
  Counted counted(2);
  const auto id = counted.labels.intern("shop.test", {"shop", "cart", "cart-svc", "/cart"});
  counted.recorders[0]->record(request(id));
  counted.recorders[1]->record(request(id));
  counted.recorders[1]->record(request(id, 503));
  const std::string text = counted.text();
  const std::string prefix = "nginx_ingress_controller_";
  const std::vector<std::string> ok = {"status=\"200\"",
                                       "method=\"GET\"",
                                       "path=\"/cart\"",
                                       "namespace=\"shop\"",
                                       "ingress=\"cart\"",
                                       "service=\"cart-svc\"",
                                       "canary=\"\"",
                                       "host=\"shop.test\"",
                                       "controller_pod=\"weir-0\"",
                                       "controller_class=\"weir.ingress/controller\"",
                                       "controller_namespace=\"weir-system\""};
  EXPECT_EQ(value_of(text, prefix + "requests", ok), 2);
  EXPECT_EQ(value_of(text, prefix + "requests", {"status=\"503\""}), 1);
  const auto with = [&ok](const std::string& le) {
    auto parts = ok;
    parts.push_back("le=\"" + le + "\"");
    return parts;
  };
  EXPECT_EQ(value_of(text, prefix + "request_duration_seconds_bucket", with("0.025")), 0);
  EXPECT_EQ(value_of(text, prefix + "request_duration_seconds_bucket", with("0.05")), 2);
  EXPECT_EQ(value_of(text, prefix + "request_duration_seconds_bucket", with("+Inf")), 2);
  EXPECT_DOUBLE_EQ(value_of(text, prefix + "request_duration_seconds_sum", ok), 0.06);
  EXPECT_EQ(value_of(text, prefix + "response_duration_seconds_bucket", with("0.025")), 2);
  EXPECT_EQ(value_of(text, prefix + "header_duration_seconds_bucket", with("0.01")), 2);
  EXPECT_EQ(value_of(text, prefix + "connect_duration_seconds_bucket", with("0.005")), 2);
  EXPECT_EQ(value_of(text, prefix + "request_size_bucket", with("50")), 0);
  EXPECT_EQ(value_of(text, prefix + "request_size_bucket", with("60")), 2);
  EXPECT_EQ(value_of(text, prefix + "response_size_bucket", with("100")), 0);
  EXPECT_EQ(value_of(text, prefix + "response_size_bucket", with("+Inf")), 2);
  EXPECT_EQ(value_of(text, prefix + "response_size_sum", ok), 10'000);
  EXPECT_EQ(value_of(text, prefix + "bytes_sent_bucket", with("1000")), 0);
  EXPECT_EQ(value_of(text, prefix + "bytes_sent_bucket", with("10000")), 2);
  EXPECT_EQ(value_of(text, prefix + "bytes_sent_sum", ok), 10'400);
  EXPECT_EQ(value_of(text, prefix + "bytes_sent_bucket", with("10000")), 2);
  EXPECT_EQ(value_of(text, prefix + "build_info", {"release=\"0.1.0\""}), 1);
  EXPECT_GT(value_of(text, prefix + "nginx_process_resident_memory_bytes"), 1e6);
  EXPECT_GT(value_of(text, prefix + "nginx_process_oldest_start_time_seconds"), 1.5e9);
  EXPECT_GT(value_of(text, prefix + "nginx_process_cpu_seconds_total"), -0.5);
}

TEST(Metrics, CountConnectionsByStateAndUnroutedRequestsApart) {
  Counted counted;
  WorkerRecorder& recorder = *counted.recorders[0];
  using State = Recorder::ConnectionState;
  recorder.connection_opened(false);
  recorder.connection_opened(true);
  recorder.connection_opened(true);
  recorder.connection_state(State::kWaiting, State::kReading);
  recorder.connection_state(State::kWaiting, State::kReading);
  recorder.connection_state(State::kReading, State::kWriting);
  recorder.connection_closed();
  recorder.connection_refused();
  recorder.record(request(Labels::kNone, 404));
  const std::string text = counted.text();
  const std::string name = "nginx_ingress_controller_nginx_process_connections";
  EXPECT_EQ(value_of(text, name, {"state=\"active\""}), 2);
  EXPECT_EQ(value_of(text, name, {"state=\"reading\""}), 1);
  EXPECT_EQ(value_of(text, name, {"state=\"writing\""}), 1);
  EXPECT_EQ(value_of(text, name, {"state=\"waiting\""}), 0);
  EXPECT_EQ(value_of(text, name + "_total", {"state=\"accepted\""}), 3);
  EXPECT_EQ(value_of(text, "nginx_ingress_controller_nginx_process_requests_total"), 1);
  EXPECT_EQ(value_of(text, "weir_unrouted_requests_total"), 1);
  EXPECT_EQ(value_of(text, "weir_tls_connections_total"), 2);
  EXPECT_EQ(value_of(text, "weir_refused_connections_total"), 1);
  EXPECT_EQ(value_of(text, "weir_budget_limit_bytes"), 1'000);
  EXPECT_EQ(value_of(text, "nginx_ingress_controller_requests"), -1);
}

TEST(Metrics, SeriesAreBoundedAndTheRestIsOther) {
  Counted counted(1, 4);
  const auto id = counted.labels.intern("a.test", {"ns", "ing", "svc", "/"});
  for (int status = 200; status < 210; ++status) counted.recorders[0]->record(request(id, status));
  EXPECT_EQ(counted.recorders[0]->series().size(), 5U);
  const std::string text = counted.text();
  EXPECT_EQ(value_of(text, "nginx_ingress_controller_requests", {"status=\"203\""}), 1);
  EXPECT_EQ(value_of(text, "nginx_ingress_controller_requests",
                     {"status=\"_other\"", "ingress=\"_other\""}),
            6);
}

TEST(Metrics, AClientCannotMakeSeriesByMethodOrStatus) {
  Counted counted;
  const auto id = counted.labels.intern("a.test", {"ns", "ing", "svc", "/"});
  for (const char* method : {"BREW", "brew", "X1", "X2"}) {
    ExchangeRecord record = request(id, 999);
    record.method = method;
    counted.recorders[0]->record(record);
  }
  EXPECT_EQ(counted.recorders[0]->series().size(), 1U);
}

TEST(Metrics, SeriesOfRemovedRoutesVanishAndMakeRoom) {
  Counted counted(1, 4);
  for (int round = 0; round < 50; ++round) {
    const auto id =
        counted.labels.intern("a.test", {"ns", "ing" + std::to_string(round), "s", "/"});
    for (int status = 200; status < 204; ++status)
      counted.recorders[0]->record(request(id, status));
    const std::string text = counted.text();
    EXPECT_EQ(value_of(text, "nginx_ingress_controller_requests",
                       {"status=\"200\"", "ing" + std::to_string(round) + "\""}),
              1)
        << round;
    counted.labels.release(id);
    EXPECT_EQ(value_of(counted.text(), "nginx_ingress_controller_requests"), -1);
  }
  EXPECT_LE(counted.recorders[0]->series().size(), 5U);
}

TEST(Metrics, RoutesThatChangeForEverTakeTwiceTheirSeriesAtMost) {
  Counted counted;
  const auto kept = counted.labels.intern("kept.test", {"ns", "kept", "s", "/"});
  for (int round = 0; round < 5'000; ++round) {
    const auto id = counted.labels.intern("a.test", {"ns", std::to_string(round), "s", "/"});
    counted.recorders[0]->record(request(id));
    counted.recorders[0]->record(request(kept));
    counted.labels.release(id);
  }
  EXPECT_LE(counted.recorders[0]->series().size(), 2U * 256U);
  EXPECT_EQ(value_of(counted.text(), "nginx_ingress_controller_requests", {"kept.test"}), 5'000);
}

TEST(Metrics, MayBeReadWhileAWorkerCounts) {
  Counted counted;
  std::atomic<bool> stop{false};
  std::thread worker([&] {
    for (int i = 0; i < 3'000 || !stop.load(); ++i) {
      const auto id =
          counted.labels.intern("a.test", {"ns", "i" + std::to_string(i % 7), "s", "/"});
      counted.recorders[0]->record(request(id, 200 + i % 3));
      counted.labels.release(id);
    }
  });
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(counted.text().empty());
  stop = true;
  worker.join();
}

}  // namespace
}  // namespace weir::observe
