#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/exchange/body_buffer.h"
#include "dataplane/exchange/retry.h"
#include "dataplane/exchange/route_plan.h"
#include "dataplane/exchange/service.h"
#include "dataplane/exchange/trusted_forward.h"
#include "dataplane/exchange/wait.h"
#include "dataplane/upstream/recycled.h"

namespace weir::exchange {

// States of a route's filters for one exchange, by slot. The first few need no allocation.
class FilterStates {
 public:
  std::unique_ptr<FilterState>& at(std::size_t slot) {
    if (slot < few_.size()) return few_[slot];
    if (slot - few_.size() >= many_.size()) many_.resize(slot - few_.size() + 1);
    return many_[slot - few_.size()];
  }

 private:
  std::array<std::unique_ptr<FilterState>, 8> few_;
  std::vector<std::unique_ptr<FilterState>> many_;
};

// One request and its response: a state machine whose way is advance() in phases.cc. Events of the
// client's stream, of the upstream's stream, of the attempt, of the timer and of a wait move it on.
// Owns itself; buried when over. One worker's thread.
//
// Invariants:
//  1. The client's stream is not touched after the response's end was sent: a next request may
//     already be running on it.
//  2. A request whose bytes an endpoint may have seen is sent again only as choose_retry allows.
//  3. Request data flows only in the phases that can take it; before, the client is paused.
class Exchange final : public worker::Buried,
                       public upstream::Recycled<Exchange>,
                       public codec::MessageTarget,
                       upstream::AttemptTarget,
                       loop::TimerTarget {
 public:
  Exchange(ExchangeContext& context, const ClientFacts& client, codec::MessageStream& stream,
           ExchangeOwner& owner);
  ~Exchange() override;

  // --- For filters ---------------------------------------------------------------------------
  ExchangeContext& context() { return context_; }
  const ClientFacts& client() const { return facts_; }
  // Who the client is and how it came, also behind a trusted source that forwards for it.
  std::string_view client_address() const {
    return forward_ == nullptr ? std::string_view(facts_.address) : forward_->address;
  }
  const base::SocketAddress& client_ip() const {
    return forward_ == nullptr ? facts_.peer : forward_->client;
  }
  bool client_uses_tls() const {
    const bool told = forward_ != nullptr && !forward_->proto.empty();
    return told ? forward_->proto == "https" : facts_.tls != nullptr;
  }
  // As the upstream will get it: hop-by-hop fields are gone, forwarding fields are ours.
  codec::Head& request() { return *request_; }
  codec::BodyLength request_length() const { return length_; }
  const RoutePlan& plan() const { return *plan_; }
  // In response hooks, and after reply().
  codec::Head& response() { return *response_; }
  // The running filter's own state; null until the filter sets it.
  std::unique_ptr<FilterState>& state() { return states_.at(running_slot_); }
  void set_user(std::string_view user) { user_ = user; }
  // Answers instead of the upstream, with our own page. response() may be edited afterwards. The
  // hook then returns kReplied, or the wait resumes. why: for the log, empty for what is no error.
  void reply(int status, std::string_view why = {});
  // For a filter that changes how long a body is: its length is no longer known. In the head hooks.
  void unsize_request();
  void unsize_response();
  // In response_end hooks: what ends the response, taken from it; null when there are none.
  codec::HeadPtr take_response_trailers() { return std::move(response_trailers_); }
  // In response_end hooks of a response with a body: more of it.
  void add_response_data(worker::Slice data);
  // The hook then returns kWait. Whatever is held dies with the exchange or at resume().
  WaitTicket begin_wait();
  void hold(std::unique_ptr<Wait> work) { wait_ = std::move(work); }
  // The wait is over: goes on with the next filter, or answers if reply() was called.
  void resume();

 private:
  enum class Phase : std::uint8_t {
    kHead,
    kRoute,
    kBackend,
    kRequestFilters,
    kHoldBody,     // memory is short: the client waits with its body
    kCollectBody,  // all of it, when a filter wants that
    kPickEndpoint,
    kConnect,
    kSendRequest,
    kAwaitResponse,
    kResponseHead,
    kBodies,  // both ways
    kTunnel,
    kReply,  // by ourselves
    kDone,
    kOver
  };
  enum class Next : std::uint8_t { kGo, kPark };
  enum class Message : std::uint8_t { kOpen, kEnded };
  enum class Link : std::uint8_t { kNone, kStarting, kReady, kFailed };
  enum class Cause : std::uint8_t { kOther, kDeadline };  // why we answer ourselves
  // What may take too long.
  enum class Limit : std::uint8_t {
    kRequest,
    kClientBody,
    kBodyRate,
    kClientTakes,
    kRelief,  // not a limit: memory may have become free
    kUpstreamTakes,
    kUpstreamGives,
    kTry,
    kTunnel
  };
  struct Due {
    base::TimePoint at;
    Limit limit;
  };
  struct Times {
    base::TimePoint started;
    base::TimePoint client;    // its last byte
    base::TimePoint upstream;  // its last byte, or when it was asked
    base::TimePoint stalled;   // when a side stopped taking
    base::TimePoint window;    // since when the body's rate is judged
    base::TimePoint looked;    // when memory was last asked for
    base::TimePoint first_attempt;
    base::TimePoint attempt;
    base::TimePoint response_head;
    base::TimePoint response_end;
  };
  struct Counts {
    std::uint64_t request = 0;   // head and body bytes received
    std::uint64_t judged = 0;    // of them, before the rate's window
    std::uint64_t response = 0;  // body bytes sent
    std::uint64_t sent = 0;      // request body bytes given to the attempt
    std::uint32_t attempts = 0;
    std::uint32_t interims = 0;
    std::uint32_t dead_pooled =
        0;  // attempts whose pooled connection had died: from now on new ones
  };
  // The upstream's half of the events.
  class ResponseTarget final : public codec::MessageTarget {
   public:
    explicit ResponseTarget(Exchange& exchange) : exchange_(exchange) {}
    void on_interim(codec::HeadPtr head) override { exchange_.on_upstream_interim(*head); }
    void on_head(codec::HeadPtr head, codec::BodyLength length) override {
      exchange_.on_upstream_head(std::move(head), length);
    }
    void on_data(worker::Slice data) override { exchange_.on_upstream_data(std::move(data)); }
    void on_trailers(codec::HeadPtr trailers) override {
      exchange_.response_trailers_ = std::move(trailers);
    }
    void on_end() override { exchange_.on_upstream_end(); }
    void on_reset(const base::Error& error) override { exchange_.on_upstream_lost(error); }
    void on_writable() override { exchange_.resume_client(); }

   private:
    Exchange& exchange_;
  };

  // route_queue.cc
  friend class RouteQueue;
  routing::RouteTable::Ahead look_ahead();
  void look_further();

  // phases.cc
  Next step();
  void advance();
  Next go(Phase phase) {
    phase_ = phase;
    return Next::kGo;
  }
  bool over() const { return phase_ >= Phase::kDone; }

  // request.cc: head, route, filters, whole body
  Next take_head();
  Next find_route();
  Next choose_backend();
  Next run_request_filters();
  Next hold_body();
  bool wants_whole_body() const;
  Next collect_body();
  Next answer(int status, std::string_view why);

  // client_body.cc: events of the client's stream
  void on_interim(codec::HeadPtr) override {}  // requests have none
  void on_head(codec::HeadPtr head, codec::BodyLength length) override;
  void begin();
  void on_data(worker::Slice data) override;
  void on_trailers(codec::HeadPtr trailers) override { request_trailers_ = std::move(trailers); }
  void on_end() override;
  void on_reset(const base::Error& error) override;
  void on_writable() override { resume_upstream(); }
  void forward_body(worker::Slice data);
  void end_upstream_request();
  void stop_request();
  bool takes_body() const;
  bool keeps_replay() const;
  void pause_client();
  void resume_client();

  // attempts.cc
  Next pick_endpoint();
  Next begin_attempt(const upstream::Cluster& cluster);
  Next send_request();
  upstream::Use pick_place(const upstream::Cluster& cluster);
  upstream::Use pick_session(const upstream::Cluster& cluster, const model::SessionCookie& cookie);
  Next retry_or_fail(const base::Error& error);
  RetryChoice retry_choice(const base::Error& error, int status);
  Next try_again(RetryChoice choice);
  bool retries_status(int status);
  void lose_attempt(base::Error error);
  void on_attempt_ready() override;
  void on_attempt_failed(const base::Error& error) override;
  void give_up_attempt(std::string_view why);

  // response.cc
  Next pass_response_head();
  Next send_reply();
  void add_own_fields();
  void add_session(codec::Head& response);
  void on_upstream_interim(codec::Head& head);
  void on_upstream_head(codec::HeadPtr head, codec::BodyLength length);
  void on_upstream_data(worker::Slice data);
  void on_upstream_end();
  void on_upstream_lost(const base::Error& error);
  std::size_t high_mark() const;
  void pause_upstream();
  void resume_upstream();
  void abort(const base::Error& error);
  void break_response(const base::Error& error);

  // tunnel.cc
  void open_tunnel(codec::HeadPtr head);
  void tunnel_to_upstream(worker::Slice data);
  void tunnel_to_client(worker::Slice data);
  void close_tunnel();
  void let_snapshot_go();

  // hooks.cc
  const FilterChain::Entry* entry(Hook hook, std::size_t at);
  Verdict run_data_hooks(worker::Slice& data);
  Verdict run_end_hooks();
  void run_response_head_hooks();
  void run_response_data_hooks(worker::Slice& data);
  void run_response_end_hooks();
  void run_complete_hooks();

  // deadlines.cc
  void on_timer() override;
  Due next_due() const;
  void watch();
  bool waits_for_head() const {
    return phase_ == Phase::kConnect || phase_ == Phase::kAwaitResponse;
  }
  void expire(Limit limit);
  bool asked_time_is_over() const;
  bool is_alive(Limit limit);
  bool takes_enough();
  bool gives_enough();
  bool is_message_stream() const;
  void relieve();

  // tracing.cc: only for requests that are traced
  void begin_trace();
  void trace_attempt();
  void end_traced_attempt(int status, std::string_view error);
  void tell_decisions();
  std::vector<std::string> filters_that_ran();

  // finish.cc
  Next finish();
  void record();

  ExchangeContext& context_;
  const ClientFacts& facts_;
  codec::MessageStream& client_;
  ExchangeOwner& owner_;
  ResponseTarget response_target_{*this};

  Phase phase_ = Phase::kHead;
  Link link_ = Link::kNone;
  Message request_state_ = Message::kOpen;
  Cause cause_ = Cause::kOther;
  bool client_paused_ = false;
  bool upstream_paused_ = false;
  bool wants_upgrade_ = false;
  int status_ = 0;            // sent to the client
  int upstream_status_ = 0;   // 0: none
  std::uint32_t cursor_ = 0;  // of the request filters
  std::uint32_t running_slot_ = 0;
  codec::BodyLength length_;           // of the request
  codec::BodyLength response_length_;  // of the upstream's response

  std::unique_ptr<TrustedForward> forward_;  // null: the client is who connected

  SnapshotRef snapshot_;  // empty once pinned_ holds the plan alone
  std::shared_ptr<const RoutePlan> pinned_;
  const RoutePlan* plan_ = nullptr;        // lives by one of the two
  const BackendPlan* backend_ = nullptr;   // likewise
  std::unique_ptr<observe::Trace> trace_;  // null: the request is not traced
  FilterStates states_;
  std::unique_ptr<Wait> wait_;
  WaitTicket ticket_;

  codec::HeadPtr request_;
  codec::HeadPtr request_trailers_;
  codec::HeadPtr response_;
  codec::HeadPtr response_trailers_;
  BodyBuffer body_;      // collected, or kept for a replay
  BodyDoor::Pass pass_;  // while its body goes on although memory is short
  upstream::Use use_;    // of the endpoint that the attempt goes to
  std::unique_ptr<upstream::Attempt> attempt_;
  RetryChoice retry_ = RetryChoice::kNone;  // why there is more than one attempt
  std::vector<std::string> avoid_;          // endpoints that have failed for this request
  std::string session_;                     // key of a session that the response will begin
  std::optional<base::Error> failure_;
  std::string error_;  // why we answer ourselves
  std::string user_;
  std::chrono::microseconds asked_timeout_{0};  // by the client, of the whole request; 0: none
  Times times_;
  Counts counts_;
  static constexpr std::size_t kUnmeasured = ~std::size_t{0};
  std::size_t stalled_queue_ = 0;           // of the client's stream
  std::size_t stalled_left_ = kUnmeasured;  // with what the kernel held a second later
  loop::Timer timer_;
};

}  // namespace weir::exchange
