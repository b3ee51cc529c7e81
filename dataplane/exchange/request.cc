// From the head to the choice of a backend, and through the request filters.

#include <forward_list>

#include "common/base/authority.h"
#include "common/base/text.h"
#include "dataplane/exchange/exchange.h"
#include "dataplane/exchange/forwarded.h"
#include "dataplane/exchange/grpc_status.h"
#include "dataplane/exchange/misdirected.h"

namespace weir::exchange {
namespace {

constexpr std::uint64_t kSmallBody = 16 * 1024;
constexpr auto kShortestHold = std::chrono::seconds(1);
constexpr auto kLongestHold = std::chrono::seconds(10);

// What routing asks of a head. Several lines of one name count as one list (RFC 9110 section 5.3).
class HeadFields final : public routing::RequestFields {
 public:
  explicit HeadFields(const codec::Head& head) : head_(head) {}
  std::optional<std::string_view> header(std::string_view lower_name) const override {
    std::size_t lines = 0;
    std::optional<std::string_view> only;
    head_.each([&](const codec::FieldView& f) {
      if (!base::equals_ignore_case(f.name, lower_name)) return;
      only = f.value;
      ++lines;
    });
    return lines < 2 ? only : joined(lower_name);
  }

 private:
  std::string_view joined(std::string_view lower_name) const {
    std::string& out = joined_.emplace_front();
    head_.each([&](const codec::FieldView& f) {
      if (!base::equals_ignore_case(f.name, lower_name)) return;
      if (!out.empty()) out += ", ";
      out += f.value;
    });
    return out;
  }
  const codec::Head& head_;
  mutable std::forward_list<std::string> joined_;  // views into it stay valid; empty costs nothing
};

// hostname: "shop.example.test", or "*.example.test" for any number of labels.
bool serves(std::string_view hostname, std::string_view authority) {
  std::string_view host = base::without_port(authority);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (hostname.empty() || hostname == "*") return true;
  if (!hostname.starts_with("*.")) return base::equals_ignore_case(hostname, host);
  const std::string_view suffix = hostname.substr(1);
  return host.size() > suffix.size() &&
         base::equals_ignore_case(host.substr(host.size() - suffix.size()), suffix);
}

}  // namespace

Exchange::Next Exchange::take_head() {
  if (context_.worker.budget().pressure() >= base::Pressure::kRequests) [[unlikely]] {
    context_.worker.budget().process().pressure().count(base::PressureAction::kRefused);
    return answer(503, "memory is short");
  }
  if (context_.live->traces) [[unlikely]]
    begin_trace();
  forward_ = read_trusted_forward(*context_.live, facts_.peer, *request_);
  ForwardedFacts told{facts_.address, facts_.listener->public_port, facts_.tls != nullptr};
  if (forward_ != nullptr) {
    told = {forward_->address, forward_->port != 0 ? forward_->port : told.port,
            told.tls,          forward_->forwarded_for,
            forward_->host,    forward_->proto};
  }
  wants_upgrade_ = rewrite_request_head(*request_, told, context_.local.ids);
  asked_timeout_ = grpc_timeout(*request_).value_or(std::chrono::microseconds(0));
  if (!serves(facts_.listener->hostname, request_->authority())) {
    return answer(404, "the listener does not serve this host");
  }
  phase_ = Phase::kRoute;
  if (!context_.live->wide) return Next::kGo;
  context_.local.routes.add(*this, context_.worker.loop());
  return Next::kPark;
}

Exchange::Next Exchange::find_route() {
  snapshot_ = context_.live.take();
  const routing::RouteTable* table = snapshot_->tables.find(facts_.listener->route_table);
  if (table == nullptr) return answer(404, "the listener has no routes");
  const bool reuses = facts_.tls != nullptr && facts_.protocol == "HTTP/2.0";
  if (reuses &&
      misdirected(*snapshot_, facts_.listener->route_table, *facts_.tls, request_->authority())) {
    return answer(421, "the connection's certificate is not this host's");
  }
  const HeadFields fields(*request_);
  // "OPTIONS *" asks about the server as a whole (RFC 9110 section 9.3.7): the host's root answers.
  const std::string_view target = request_->target() == "*" ? "/" : request_->target();
  const routing::Decision decision =
      table->find({request_->authority(), target, request_->method(), &fields});
  switch (decision.outcome) {
    case routing::Outcome::kMatched:
      break;
    case routing::Outcome::kNoHost:
      return answer(404, "no route for this host");
    case routing::Outcome::kNoRoute:
      return answer(404, "no route for this path");
    case routing::Outcome::kBadPath:
      return answer(400, "path is malformed");
    case routing::Outcome::kTwoReadings:
      return answer(400, "path has two readings");
  }
  plan_ = static_cast<const RoutePlan*>(decision.target);
  plan_->fetch();
  return go(Phase::kBackend);
}

Exchange::Next Exchange::choose_backend() {
  if (!plan_->unavailable.empty()) return answer(503, plan_->unavailable);
  if (!plan_->backends.empty()) {
    backend_ = context_.local.splits.choose(*plan_);
    if (backend_ == nullptr) return answer(500, "no backend of the route has a weight");
  }
  return go(Phase::kRequestFilters);
}

Exchange::Next Exchange::run_request_filters() {
  while (const FilterChain::Entry* next = entry(Hook::kRequestHead, cursor_)) {
    ++cursor_;
    switch (next->filter->on_request_head(*this)) {
      case Verdict::kContinue:
        break;
      case Verdict::kReplied:
        if (trace_ != nullptr) trace_->replied_by = cursor_;
        return go(Phase::kReply);
      case Verdict::kWait:
        return Next::kPark;
    }
  }
  if (backend_ == nullptr) return answer(plan_->route().fixed_status, {});
  if (backend_->invalid) {
    const std::string& reason = backend_->reason;
    return answer(500, reason.empty() ? std::string_view("the backend is invalid") : reason);
  }
  const bool may_wait = length_.kind != codec::BodyLength::Kind::kNone;
  return go(may_wait ? Phase::kHoldBody : Phase::kCollectBody);
}

// A body begins only when there is memory for it; a small one is taken, it costs less than the
// wait. Where memory does not come back a few go on at a time, but for those that a filter holds
// whole.
Exchange::Next Exchange::hold_body() {
  const bool small = length_.kind == codec::BodyLength::Kind::kKnown && length_.bytes <= kSmallBody;
  const base::WorkerBudget& budget = context_.worker.budget();
  if (budget.pressure() < base::Pressure::kBodies || small) return go(Phase::kCollectBody);
  times_.looked = context_.worker.loop().now();
  const base::Duration waited = times_.looked - times_.started;
  if (waited >= kShortestHold && budget.pressure() < base::Pressure::kRequests &&
      !wants_whole_body()) {
    pass_ = context_.local.bodies.enter();
    if (pass_) return go(Phase::kCollectBody);
  }
  if (waited > kLongestHold) return answer(503, "memory is short");
  if (!client_paused_) budget.process().pressure().count(base::PressureAction::kHeldBody);
  watch();
  return Next::kPark;
}

bool Exchange::wants_whole_body() const {
  return plan_->filters.body_need().kind == BodyNeed::Kind::kBuffer ||
         backend_->filters.body_need().kind == BodyNeed::Kind::kBuffer;
}

Exchange::Next Exchange::collect_body() {
  if (length_.kind == codec::BodyLength::Kind::kNone) {
    return go(run_end_hooks() == Verdict::kReplied ? Phase::kReply : Phase::kPickEndpoint);
  }
  if (!wants_whole_body() || request_state_ == Message::kEnded) return go(Phase::kPickEndpoint);
  // We read the body before the upstream hears of it: nobody else can invite it.
  if (request_->find(codec::FieldId::kExpect)) {
    request_->remove(codec::FieldId::kExpect);
    codec::HeadPtr invite = context_.heads.take();
    invite->set_status(100, "Continue");
    client_.send_interim(*invite);
  }
  resume_client();
  watch();
  return Next::kPark;
}

Exchange::Next Exchange::answer(int status, std::string_view why) {
  reply(status, why);
  return go(Phase::kReply);
}

}  // namespace weir::exchange
