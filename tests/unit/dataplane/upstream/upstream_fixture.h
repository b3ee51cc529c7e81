#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "dataplane/upstream/upstreams.h"

namespace weir::upstream {

// A transport without a socket: the test plays the kernel.
class ScriptedTransport final : public transport::Transport {
 public:
  explicit ScriptedTransport(std::vector<ScriptedTransport*>& all) : all_(all) {
    all_.push_back(this);
  }
  ~ScriptedTransport() override { std::erase(all_, this); }
  void set_target(transport::TransportTarget& to) override { target = &to; }
  void write(worker::Slice bytes) override { written += bytes.bytes(); }
  std::size_t in_kernel() const override { return 0; }
  bool has_unread() const override { return false; }
  std::size_t queued() const override { return 0; }
  void drop_output() override { written.clear(); }
  void pause_reading() override { reading = false; }
  void resume_reading() override { reading = true; }
  void finish_writing() override {}
  void close_when_flushed(transport::Farewell) override { flushed = true; }
  const base::SocketAddress& peer() const override { return address_; }
  const base::SocketAddress& local() const override { return address_; }
  const transport::TlsFacts* tls() const override { return nullptr; }
  std::uint64_t bytes_read() const override { return 0; }
  std::uint64_t bytes_written() const override { return 0; }

  transport::TransportTarget* target = nullptr;
  std::string written;
  bool reading = true, flushed = false;

 private:
  std::vector<ScriptedTransport*>& all_;
  base::SocketAddress address_;
};

// A multiplexed client codec of the simplest kind: a line "<stream> <word>" is an event. Words
// sent: head, data:x, end, reset; received: head:200, data:x, end, reset, goaway.
class LineSession final : public codec::ClientSession {
 public:
  LineSession(codec::SessionContext context, codec::ByteStream& wire, codec::ClientTarget& client,
              std::size_t room)
      : context_(context), wire_(wire), client_(client), room_(room) {}

  bool can_open() const override { return !gone_ && streams_.size() < room_; }
  codec::MessageStream& open(codec::MessageTarget& target) override {
    const int id = next_++;
    auto& stream = streams_[id] = std::make_unique<Stream>(*this, id);
    stream->target = &target;
    return *stream;
  }
  void on_bytes(std::string_view bytes) override {
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos;
         end = bytes.find('\n')) {
      line(bytes.substr(0, end));
      bytes.remove_prefix(end + 1);
    }
  }
  void on_read_closed() override {}
  void on_lost(const base::Error& error) override {
    gone_ = true;
    for (auto& [id, stream] : std::exchange(streams_, {})) stream->target->on_reset(error);
  }
  void on_drained() override {}
  std::size_t open_streams() const override { return streams_.size(); }

 private:
  struct Stream final : codec::MessageStream {
    Stream(LineSession& of, int number) : session(of), id(number) {}
    void say(std::string_view word) {
      const std::string text = std::to_string(id) + " " + std::string(word) + "\n";
      session.wire_.write(session.context_.buffers.copy(text));
    }
    void send_interim(const codec::Head&) override {}
    void send_head(const codec::Head&, codec::BodyLength length) override {
      say("head");
      if (length.kind == codec::BodyLength::Kind::kNone) sent();
    }
    void send_data(worker::Slice data) override { say("data:" + std::string(data.bytes())); }
    void send_trailers(const codec::Head&) override { sent(); }
    void send_end() override {
      say("end");
      sent();
    }
    void reset(const base::Error&) override {
      say("reset");
      session.drop(id);
    }
    void pause() override {}
    void resume() override {}
    std::size_t queued() const override { return 0; }
    void sent() {
      sent_all = true;
      if (received_all) session.drop(id);
    }
    LineSession& session;
    int id;
    codec::MessageTarget* target = nullptr;
    bool sent_all = false, received_all = false;
  };

  void drop(int id) {
    dead_.push_back(std::move(streams_[id]));
    streams_.erase(id);
    client_.on_stream_over();
  }
  void line(std::string_view text) {
    const int id = text[0] - '0';
    const std::string_view word = text.substr(2);
    if (word == "goaway") {
      gone_ = true;
      return client_.on_session_end();
    }
    const auto at = streams_.find(id);
    ASSERT_NE(at, streams_.end()) << text;
    Stream& stream = *at->second;
    if (word.starts_with("head:")) {
      codec::HeadPtr head = context_.heads.take();
      head->set_status(std::stoi(std::string(word.substr(5))));
      stream.target->on_head(std::move(head), codec::BodyLength::unknown());
    } else if (word.starts_with("data:")) {
      stream.target->on_data(worker::Slice::borrowed(word.substr(5)));
    } else if (word == "end") {
      stream.received_all = true;
      stream.target->on_end();
      if (stream.sent_all) drop(id);
    } else {
      codec::MessageTarget* target = stream.target;
      drop(id);
      target->on_reset({base::ErrorKind::kClosed, base::Origin::kUpstream, false, "reset"});
    }
  }

  codec::SessionContext context_;
  codec::ByteStream& wire_;
  codec::ClientTarget& client_;
  std::size_t room_;
  int next_ = 1;
  bool gone_ = false;
  std::map<int, std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Stream>> dead_;
};

// One request of a test: owns the attempt, writes down the response.
struct Request final : AttemptTarget, codec::MessageTarget {
  void on_attempt_ready() override { ready = true; }
  void on_attempt_failed(const base::Error& error) override {
    failed = error.text;
    retryable = error.retryable;
  }
  void on_interim(codec::HeadPtr) override {}
  void on_head(codec::HeadPtr head, codec::BodyLength) override {
    got += std::to_string(head->status()) + " ";
  }
  void on_data(worker::Slice data) override { got += data.bytes(); }
  void on_trailers(codec::HeadPtr) override {}
  void on_end() override {
    got += "|";
    if (gives_up_at_end) attempt.reset();
  }
  void on_reset(const base::Error& error) override { got += "!" + error.text; }
  void on_writable() override {}

  Use use;
  std::unique_ptr<Attempt> attempt;
  bool ready = false, retryable = false, gives_up_at_end = true;
  std::string failed, got;
};

class UpstreamTest : public ::testing::Test {
 protected:
  static inline std::vector<ScriptedTransport*> transports;
  static inline std::size_t room = 1;

  static std::unique_ptr<transport::Transport> connect(const Parts&, const base::SocketAddress&,
                                                       base::Duration,
                                                       const transport::UpstreamPolicyPtr&) {
    return std::make_unique<ScriptedTransport>(transports);
  }
  static std::unique_ptr<codec::ClientSession> make_session(const SessionWish& wish,
                                                            codec::SessionContext context,
                                                            codec::ByteStream& wire,
                                                            codec::ClientTarget& client) {
    if (wish.protocol == model::UpstreamProtocol::kHttp2) return nullptr;
    return std::make_unique<LineSession>(context, wire, client, room);
  }

  void set_endpoints(const std::vector<std::string>& ids) {
    cluster.endpoints.clear();
    for (const std::string& id : ids) cluster.endpoints.push_back({id, {}, 1});
    upstreams.on_cluster_changed(cluster);
  }
  void pick_and_start(Request& request, const AttemptNeeds& needs = {}) {
    request.use = {};
    request.use = upstreams.pick(cluster, {.avoid = avoid});
    if (!request.use) return;
    request.attempt = upstreams.start(cluster, request.use, needs, request, request);
  }
  // Starts a request; opens its connection when it is a new one.
  void start(Request& request, AttemptNeeds needs = {}) {
    const std::size_t before = transports.size();
    pick_and_start(request, needs);
    if (request.attempt == nullptr) return;
    if (transports.size() > before) transports.back()->target->on_open();
    if (request.ready) request.attempt->stream().send_head(*head, codec::BodyLength::none());
  }
  void say(std::string_view text, std::size_t connection = 0) {
    transports.at(connection)->target->on_bytes(text);
  }
  // A whole request on a connection that answers at once.
  void exchange(AttemptNeeds needs = {}) {
    Request request;
    start(request, needs);
    const int stream = transports.back()->written[transports.back()->written.rfind(" head") - 1];
    const std::string prefix(1, static_cast<char>(stream));
    say(prefix + " head:200\n" + prefix + " end\n", transports.size() - 1);
    EXPECT_EQ(request.got, "200 |");
  }
  void settle(base::Duration time = {}) {
    clock.advance(time);
    worker.loop().run_once(base::Duration::zero());
  }
  void SetUp() override {
    room = 1;
    head->set_method("GET");
    head->set_target("/");
    set_endpoints({"a:1"});
  }
  void TearDown() override { settle(); }

  base::ManualClock clock;
  base::ProcessBudget process;
  worker::Offload offload{1, 4};
  worker::Worker worker{0, process, offload, clock};
  codec::HeadPool heads;
  codec::Limits limits;
  Cluster cluster;
  std::vector<std::string> avoid;
  codec::HeadPtr head = heads.take();
  UpstreamSet upstreams{Parts{worker, {worker.buffers(), heads, limits}, &connect, &make_session}};
};

}  // namespace weir::upstream
