#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dataplane/exchange/route_plan.h"
#include "dataplane/exchange/service.h"

namespace weir::exchange {

// "POST /a?b [X: y] [Z: w]" of a request, "200 [X: y]" of a response.
inline std::string text_of(const codec::Head& head) {
  std::string out = head.status() != 0
                        ? std::to_string(head.status())
                        : std::string(head.method()) + " " + std::string(head.target());
  head.each([&out](const codec::FieldView& f) {
    out += " [" + std::string(f.name) + ": " + std::string(f.value) + "]";
  });
  return out;
}

inline std::string length_text(codec::BodyLength length) {
  using Kind = codec::BodyLength::Kind;
  if (length.kind == Kind::kNone) return "none";
  return length.kind == Kind::kKnown ? std::to_string(length.bytes) : "unknown";
}

// A stream that writes down what it is told.
class ScriptedStream final : public codec::MessageStream {
 public:
  void send_interim(const codec::Head& head) override { interims.push_back(text_of(head)); }
  void send_head(const codec::Head& head, codec::BodyLength length) override {
    EXPECT_FALSE(is_over());
    sent_head = text_of(head);
    copy = std::make_unique<codec::Head>();
    copy->copy_from(head);
    sent_length = length_text(length);
    if (length.kind == codec::BodyLength::Kind::kNone) ended = true;
  }
  void send_data(worker::Slice data) override {
    EXPECT_FALSE(is_over());
    body += data.bytes();
  }
  void send_trailers(const codec::Head& head) override {
    trailers = text_of(head);
    ended = true;
  }
  void send_end() override {
    EXPECT_FALSE(is_over());
    ended = true;
  }
  void reset(const base::Error& error) override { was_reset = error.text; }
  void pause() override { paused = true; }
  void resume() override {
    paused = false;
    if (on_resume) std::exchange(on_resume, nullptr)();
  }
  std::size_t queued() const override { return queue; }
  // A tunnel's stream goes on behind its head.
  bool is_over() const { return !was_reset.empty() || (ended && !tunnel); }
  std::string field(std::string_view name) const {
    return copy == nullptr ? "no head" : std::string(copy->find(name).value_or("none"));
  }

  std::vector<std::string> interims;
  std::string sent_head, sent_length, body, trailers, was_reset;
  std::unique_ptr<codec::Head> copy;
  bool ended = false, paused = false, tunnel = false;
  std::size_t queue = 0;
  std::function<void()> on_resume;
};

// Upstreams whose attempts do what the script says.
class ScriptedUpstreams final : public upstream::Upstreams {
 public:
  enum class Does { kReady, kLater, kFails, kNothing };
  struct Step {
    Does does = Does::kReady;
    bool reused = false;
  };
  struct Call {
    std::string cluster;
    bool fresh, idempotent;
    std::vector<std::string> avoid;
    upstream::AttemptTarget* target = nullptr;
    codec::MessageTarget* response = nullptr;
    std::shared_ptr<ScriptedStream> stream = std::make_shared<ScriptedStream>();
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  };

  upstream::Use pick(const upstream::Cluster&, const upstream::PickNeeds& needs) override {
    avoid_ = {needs.avoid.begin(), needs.avoid.end()};
    keys.emplace_back(needs.key);
    home_.state = state_;
    seat_.state = endpoint_state_;
    seat_.home = &home_;
    if (refuses != upstream::Refusal::kNone) return upstream::Use(refuses);
    return upstream::Use(seat_, 0, exact);
  }
  std::unique_ptr<upstream::Attempt> start(const upstream::Cluster& cluster, upstream::Use&,
                                           const upstream::AttemptNeeds& needs,
                                           upstream::AttemptTarget& target,
                                           codec::MessageTarget& response) override {
    const Step step = calls.size() < script.size() ? script[calls.size()] : Step{};
    Call& call = calls.emplace_back();
    call.cluster = cluster.settings.name;
    call.fresh = needs.fresh;
    call.idempotent = needs.idempotent;
    call.avoid = avoid_;
    call.target = &target;
    call.response = &response;
    if (step.does == Does::kNothing) return nullptr;
    endpoints.push_back({"10.0.0." + std::to_string(calls.size()) + ":80", {}, 1});
    auto attempt = std::make_unique<ScriptedAttempt>();
    attempt->stream_ = call.stream;
    attempt->alive_ = call.alive;
    attempt->endpoint_ = endpoints.back();
    attempt->reused_ = step.reused;
    if (step.does == Does::kReady) target.on_attempt_ready();
    if (step.does == Does::kFails) target.on_attempt_failed(refused());
    return attempt;
  }
  static base::Error refused() {
    return {base::ErrorKind::kClosed, base::Origin::kUpstream, true, "connect: refused"};
  }
  void on_cluster_changed(const upstream::Cluster&) override {}
  void on_cluster_removed(std::uint32_t) override { ++removed; }
  void trim() override {}
  std::size_t idle_connections() const override { return 0; }
  std::size_t open_connections() const override { return 0; }

  std::vector<Step> script;  // by attempt; beyond its end: ready, new connection
  std::deque<Call> calls;
  std::vector<upstream::Endpoint> endpoints;
  std::vector<std::string> keys;  // by pick
  upstream::Refusal refuses = upstream::Refusal::kNone;
  bool exact = true;
  int removed = 0;  // clusters that it was told of
  upstream::Home& home() { return home_; }

 private:
  std::vector<std::string> avoid_;
  std::shared_ptr<shared::ClusterState> state_ = std::make_shared<shared::ClusterState>();
  std::shared_ptr<shared::EndpointState> endpoint_state_ =
      std::make_shared<shared::EndpointState>(1, base::TimePoint());
  upstream::Home home_;
  upstream::Seat seat_;
  struct ScriptedAttempt final : upstream::Attempt {
    ~ScriptedAttempt() override { *alive_ = false; }
    codec::MessageStream& stream() override { return *stream_; }
    const upstream::Endpoint& endpoint() const override { return endpoint_; }
    bool reused() const override { return reused_; }
    base::Duration connect_time() const override { return std::chrono::milliseconds(2); }
    std::shared_ptr<ScriptedStream> stream_;
    std::shared_ptr<bool> alive_;
    upstream::Endpoint endpoint_;
    bool reused_ = false;
  };
};

// Keeps the last record, with its texts.
class KeptRecords final : public observe::Recorder {
 public:
  void record(const observe::ExchangeRecord& record) override {
    ++count;
    last = record;
    user = record.user;
    error = record.error;
    upstream = record.upstream;
    cluster = record.cluster;
    request_id = record.request_id;
    last.route = nullptr;
  }
  void connection_opened(bool) override {}
  void connection_closed() override {}
  void connection_state(ConnectionState, ConnectionState) override {}
  void set_access_log(bool) override {}

  int count = 0;
  observe::ExchangeRecord last;  // its texts are gone
  std::string user, error, upstream, cluster, request_id;
};

// A worker with a clock that stands still, a route table "main", and exchanges on it.
class ExchangeTest : public ::testing::Test, public ExchangeOwner {
 protected:
  void on_exchange_done() override { ++done; }

  // A route of host shop.test; edit gets the plan before it is published.
  void add_route(std::string_view path, const std::function<void(RoutePlan&)>& edit = {}) {
    model::Route route;
    route.table = "main";
    route.host = "shop.test";
    route.id = path;
    route.match.path.value = path;
    auto plan = std::make_shared<RoutePlan>(std::move(route));
    plan->backends.push_back(backend("shop"));
    plan->total_weight = 1;
    if (edit) edit(*plan);
    auto table = std::make_shared<routing::RouteTable>(table_.with_route(plan).value());
    table_ = *table;
    next_->tables = next_->tables.with("main", std::move(table));
    publish();
  }
  static BackendPlan backend(std::string name, std::uint32_t weight = 1) {
    BackendPlan out;
    out.cluster_hash = base::hash_bytes(name);
    out.cluster = std::move(name);
    out.weight = weight;
    return out;
  }
  void publish(const std::vector<std::string>& clusters = {"shop", "cart"}) {
    next_->clusters = {};
    for (const std::string& name : clusters) {
      auto cluster = std::make_shared<upstream::Cluster>();
      cluster->settings.name = name;
      next_->clusters = next_->clusters.with(name, std::move(cluster));
    }
    live.replace(std::make_shared<Snapshot>(*next_));
  }

  codec::HeadPtr head(std::string_view method, std::string_view target,
                      const std::vector<std::pair<std::string, std::string>>& fields = {}) {
    codec::HeadPtr out = heads.take();
    out->set_method(method);
    out->set_target(target);
    out->set_authority("shop.test");
    for (const auto& [name, value] : fields) out->add(name, value);
    return out;
  }
  codec::HeadPtr response(int status,
                          const std::vector<std::pair<std::string, std::string>>& fields = {}) {
    codec::HeadPtr out = heads.take();
    out->set_status(status);
    for (const auto& [name, value] : fields) out->add(name, value);
    return out;
  }

  // Begins an exchange; the returned target takes the rest of the request.
  codec::MessageTarget& begin(codec::HeadPtr request,
                              codec::BodyLength length = codec::BodyLength::none()) {
    codec::MessageTarget& target = start_exchange(context, facts, client, *this);
    target.on_head(std::move(request), length);
    return target;
  }
  codec::MessageTarget& get(std::string_view target) {
    codec::MessageTarget& out = begin(head("GET", target));
    if (done == 0) out.on_end();
    return out;
  }
  ScriptedUpstreams::Call& call(std::size_t n = 0) { return upstreams.calls.at(n); }
  // The upstream's whole answer.
  void answer(int status, std::string_view body, std::size_t n = 0) {
    codec::MessageTarget& to = *call(n).response;
    to.on_head(response(status), codec::BodyLength::known(body.size()));
    if (!body.empty()) to.on_data(worker::Slice::borrowed(body));
    to.on_end();
  }
  void pass(base::Duration time) {
    clock.advance(time);
    worker.loop().run_once(base::Duration::zero());
  }
  void TearDown() override { worker.loop().run_once(base::Duration::zero()); }

  base::ManualClock clock;
  base::ProcessBudget process;
  worker::Offload offload{1, 16};
  worker::Worker worker{0, process, offload, clock};
  codec::HeadPool heads;
  LiveSnapshot live;
  ScriptedUpstreams upstreams;
  KeptRecords records;
  ExchangeContext context{worker, heads, live, upstreams, records};
  ListenerFacts listener{"http", "main", "", 8080};
  ClientFacts facts = [this] {
    ClientFacts out;
    out.address = "192.0.2.9";
    out.listener = &listener;
    return out;
  }();
  ScriptedStream client;
  int done = 0;
  std::shared_ptr<Snapshot> next_ = std::make_shared<Snapshot>();
  routing::RouteTable table_;
};

}  // namespace weir::exchange
