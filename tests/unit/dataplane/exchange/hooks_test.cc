// Filters with every hook, waits and their ends, and collected bodies.

#include "dataplane/exchange/exchange.h"
#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::exchange {
namespace {

using codec::BodyLength;

// Writes down every hook; does what a test tells it.
struct Probe final : Filter {
  explicit Probe(std::string of) : name(std::move(of)) {}
  struct State final : FilterState {
    int seen = 0;
  };
  std::string_view stem() const override { return name; }
  Hooks hooks() const override {
    Hooks all;
    for (std::size_t i = 0; i < kHooks; ++i) all = all.with(static_cast<Hook>(i));
    return all;
  }
  BodyNeed body_need() const override { return need; }
  Verdict say(Exchange& exchange, std::string_view what, Verdict then = Verdict::kContinue) const {
    if (exchange.state() == nullptr) exchange.state() = std::make_unique<State>();
    const int count = ++static_cast<State&>(*exchange.state()).seen;
    log->push_back(name + "." + std::string(what) + std::to_string(count));
    return then;
  }
  Verdict on_request_head(Exchange& e) const override {
    if (on_head) return say(e, "head", on_head(e));
    return say(e, "head");
  }
  Verdict on_request_data(Exchange& e, worker::Slice& data) const override {
    if (replace_data)
      data = e.context().worker.buffers().copy("<" + std::string(data.bytes()) + ">");
    if (on_data) return say(e, "data", on_data(e));
    return say(e, "data");
  }
  Verdict on_request_end(Exchange& e) const override { return say(e, "end"); }
  void on_response_head(Exchange& e) const override {
    e.response().add("X-Probe", name);
    say(e, "response_head");
  }
  void on_response_data(Exchange& e, worker::Slice&) const override { say(e, "response_data"); }
  void on_response_end(Exchange& e) const override { say(e, "response_end"); }
  void on_complete(Exchange& e) const override { say(e, "complete"); }

  std::string name;
  std::vector<std::string>* log = nullptr;
  BodyNeed need;
  bool replace_data = false;
  std::function<Verdict(Exchange&)> on_head, on_data;
};

class HooksTest : public ExchangeTest {
 protected:
  std::shared_ptr<Probe> probe(std::string name) {
    auto out = std::make_shared<Probe>(std::move(name));
    out->log = &log;
    return out;
  }
  void install(std::vector<FilterPtr> of_route, std::vector<FilterPtr> of_backend = {}) {
    add_route("/", [&](RoutePlan& plan) {
      plan.filters = FilterChain(std::move(of_route));
      plan.backends[0].filters = FilterChain(std::move(of_backend));
    });
  }
  std::string joined() const {
    std::string out;
    for (const std::string& line : log) out += line + " ";
    return out;
  }
  std::vector<std::string> log;
};

TEST_F(HooksTest, RunInChainOrderRouteBeforeBackend) {
  install({probe("a"), probe("b")}, {probe("c")});
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::known(1));
  request.on_data(worker::Slice::borrowed("x"));
  request.on_end();
  call().response->on_interim(response(103));
  answer(200, "y");
  EXPECT_EQ(joined(),
            "a.head1 b.head1 c.head1 a.data2 b.data2 c.data2 a.end3 b.end3 c.end3 "
            "a.response_head4 b.response_head4 c.response_head4 "
            "a.response_data5 b.response_data5 c.response_data5 "
            "a.response_end6 b.response_end6 c.response_end6 a.complete7 b.complete7 c.complete7 ");
}

TEST_F(HooksTest, AReplyStopsTheChainAndStillPassesTheResponseHooks) {
  auto b = probe("b");
  b->on_head = [](Exchange& e) {
    e.reply(418, "teapot");
    e.response().add("X-Why", "tea");
    return Verdict::kReplied;
  };
  install({probe("a"), b, probe("c")});
  get("/");
  EXPECT_EQ(client.copy->status(), 418);
  EXPECT_EQ(client.field("X-Why"), "tea");
  EXPECT_EQ(client.field("X-Probe"), "a");
  EXPECT_EQ(joined(),
            "a.head1 b.head1 a.response_head2 b.response_head2 c.response_head1 "
            "a.complete3 b.complete3 c.complete2 ");
  EXPECT_TRUE(upstreams.calls.empty());
}

struct Held final : Wait {
  explicit Held(int& count) : alive(count) { ++alive; }
  ~Held() override { --alive; }
  int& alive;
};

TEST_F(HooksTest, AWaitPausesTheClientAndResumesBehindTheFilter) {
  WaitTicket ticket;
  int held = 0;
  auto waits = probe("w");
  waits->on_head = [&](Exchange& e) {
    ticket = e.begin_wait();
    e.hold(std::make_unique<Held>(held));
    return Verdict::kWait;
  };
  install({waits, probe("z")});
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::known(1));
  EXPECT_TRUE(client.paused);
  EXPECT_EQ(joined(), "w.head1 ");
  // The answer comes by the mailbox, from wherever.
  worker.loop().post([this, ticket] { context.local.waits.find(ticket)->resume(); });
  worker.loop().run_once(base::Duration::zero());
  EXPECT_EQ(joined(), "w.head1 z.head1 ");
  EXPECT_FALSE(client.paused);
  EXPECT_EQ(held, 0);
  EXPECT_EQ(context.local.waits.find(ticket), nullptr);
  request.on_data(worker::Slice::borrowed("x"));
  request.on_end();
  answer(200, "");
  EXPECT_EQ(done, 1);
}

TEST_F(HooksTest, AWaitMayAnswer) {
  WaitTicket ticket;
  auto waits = probe("w");
  waits->on_head = [&](Exchange& e) {
    ticket = e.begin_wait();
    return Verdict::kWait;
  };
  install({waits, probe("z")});
  get("/");
  Exchange* waiting = context.local.waits.find(ticket);
  waiting->reply(403, "no");
  waiting->resume();
  EXPECT_EQ(client.copy->status(), 403);
  EXPECT_EQ(records.error, "no");
}

TEST_F(HooksTest, AClientThatLeavesCancelsTheWait) {
  WaitTicket ticket;
  int held = 0;
  auto waits = probe("w");
  waits->on_head = [&](Exchange& e) {
    ticket = e.begin_wait();
    e.hold(std::make_unique<Held>(held));
    return Verdict::kWait;
  };
  install({waits});
  codec::MessageTarget& request = get("/");
  EXPECT_EQ(held, 1);
  request.on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  EXPECT_EQ(held, 0);
  EXPECT_EQ(context.local.waits.find(ticket), nullptr);
  EXPECT_EQ(joined(), "w.head1 w.complete2 ");
  EXPECT_EQ(context.local.waits.waiting(), 0u);
}

TEST_F(HooksTest, AFilterThatWantsTheWholeBodyGetsItBeforeAnyUpstreamDoes) {
  auto whole = probe("w");
  whole->need = {BodyNeed::Kind::kBuffer, 10};
  whole->replace_data = true;
  install({whole});
  codec::MessageTarget& request =
      begin(head("POST", "/", {{"Expect", "100-continue"}}), BodyLength::unknown());
  EXPECT_FALSE(client.paused);
  EXPECT_EQ(client.interims, std::vector<std::string>{"100"});
  request.on_data(worker::Slice::borrowed("abc"));
  request.on_data(worker::Slice::borrowed("de"));
  EXPECT_TRUE(upstreams.calls.empty());
  request.on_end();
  ASSERT_EQ(upstreams.calls.size(), 1u);
  EXPECT_EQ(call().stream->body, "<abc><de>");
  EXPECT_EQ(call().stream->sent_length, "9");
  EXPECT_EQ(call().stream->field("Expect"), "none");
  EXPECT_TRUE(call().stream->ended);
  answer(200, "");
}

TEST_F(HooksTest, ABodyThatDoesNotFitIsTooLarge) {
  auto whole = probe("w");
  whole->need = {BodyNeed::Kind::kBuffer, 4};
  install({whole});
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::unknown());
  request.on_data(worker::Slice::borrowed("abcde"));
  EXPECT_EQ(client.copy->status(), 413);
  EXPECT_TRUE(upstreams.calls.empty());
}

TEST_F(HooksTest, ARefusalInTheBodyIsAnAnswerOrAReset) {
  for (const bool started : {false, true}) {
    client = ScriptedStream();
    upstreams.calls.clear();
    done = 0;
    auto refuses = probe("r");
    refuses->on_data = [](Exchange& e) {
      e.reply(413);
      return Verdict::kReplied;
    };
    install({refuses});
    codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::unknown());
    if (started) call().response->on_head(response(200), BodyLength::unknown());
    request.on_data(worker::Slice::borrowed("x"));
    EXPECT_EQ(client.copy->status(), started ? 200 : 413);
    EXPECT_EQ(!client.was_reset.empty(), started);
    EXPECT_FALSE(call().stream->was_reset.empty());
    EXPECT_EQ(done, 1);
  }
}

}  // namespace
}  // namespace weir::exchange
