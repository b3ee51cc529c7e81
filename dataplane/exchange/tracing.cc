// What a traced request remembers, and what it tells: endpoints by traceparent, whoever signed the
// request by fields of the response, the collector by spans (finish.cc).

#include <cstring>

#include "common/base/text.h"
#include "dataplane/exchange/exchange.h"

namespace weir::exchange {
namespace {

constexpr std::string_view kDebug = "Weir-Debug";
constexpr std::string_view kParent = "traceparent";
constexpr std::string_view kState = "tracestate";
constexpr std::size_t kLongestState = 512;  // W3C Trace Context section 3.3.1.5

template <std::size_t N>
void fill(std::array<std::uint8_t, N>& id, RequestIds& ids) {
  for (std::size_t at = 0; at < N; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = ids.next_word() | (at == 0 ? 1 : 0);  // never all zero
    std::memcpy(id.data() + at, &word, sizeof word);
  }
}

// All lines of a name as one list.
std::string joined(const codec::Head& head, std::string_view name, std::size_t& lines) {
  std::string out;
  lines = 0;
  head.each([&](const codec::FieldView& field) {
    if (!base::equals_ignore_case(field.name, name)) return;
    if (lines++ > 0) out += ',';
    out += field.value;
  });
  return out;
}

// The client's, when there is one traceparent and it is valid. Else the request's tracestate means
// nothing and goes.
std::optional<observe::TraceParent> take_parent(codec::Head& head, bool trusted,
                                                std::string& state) {
  std::size_t lines = 0;
  const std::string text = joined(head, kParent, lines);
  std::optional<observe::TraceParent> parent;
  if (trusted && lines == 1) parent = observe::parse_traceparent(text);
  if (parent) state = joined(head, kState, lines);
  if (!parent || state.size() > kLongestState) {
    state.clear();
    head.remove(kState);
  }
  head.remove(kParent);
  return parent;
}

std::string route_text(const model::Route& route) {
  const model::Provenance& from = route.provenance;
  return from.kind + " " + (from.ns.empty() ? "" : from.ns + "/") + from.name + " " +
         from.field_path;
}

std::string match_text(const model::Route& route) {
  const auto kind =
      enum_names(route.match.path.kind)[static_cast<std::size_t>(route.match.path.kind)];
  return route.host + " " + std::string(kind) + " " + route.match.path.value;
}

}  // namespace

void Exchange::begin_trace() {
  const Snapshot& live = *context_.live;
  const loop::Loop& loop = context_.worker.loop();
  const base::WallTime wall = loop.clock().wall_now();
  bool tells = false;
  if (!live.debug_key.empty()) {
    std::size_t lines = 0;
    const std::string header = joined(*request_, kDebug, lines);
    tells = lines == 1 && observe::is_signed(header, request_->authority(), live.debug_key, wall);
    if (lines > 0) request_->remove(kDebug);
  }
  const model::Tracing& tracing = live.settings.tracing;
  if (tracing.collector.empty() && !tells) return;
  trace_ = std::make_unique<observe::Trace>();
  trace_->tells = tells;
  trace_->propagates = !tracing.collector.empty();
  trace_->started = times_.started;
  trace_->started_wall = wall - (loop.now() - times_.started);
  fill(trace_->trace, context_.local.ids);
  fill(trace_->span, context_.local.ids);
  if (!trace_->propagates) return;
  const auto parent = take_parent(*request_, tracing.trust_parent, trace_->state);
  if (parent) {
    trace_->trace = parent->trace;
    trace_->parent = parent->span;
  }
  trace_->sampled = parent ? parent->sampled
                           : observe::sampled_by_ratio(trace_->trace, tracing.sample_per_million);
}

// Before the attempt may send anything.
void Exchange::trace_attempt() {
  observe::TracedAttempt& attempt = trace_->attempts.emplace_back();
  attempt.started = times_.attempt;
  attempt.host = request_->authority();
  fill(attempt.span, context_.local.ids);
  if (!trace_->propagates) return;
  request_->set(kParent, observe::format_traceparent(trace_->trace, attempt.span, trace_->sampled));
}

void Exchange::end_traced_attempt(int status, std::string_view error) {
  if (trace_->attempts.empty()) return;
  observe::TracedAttempt& attempt = trace_->attempts.back();
  if (attempt.ended != base::TimePoint{} || attempt_ == nullptr) return;
  attempt.ended = context_.worker.loop().now();
  attempt.endpoint = attempt_->endpoint().id;
  attempt.connect = attempt_->connect_time();
  attempt.reused = attempt_->reused();
  attempt.status = status;
  attempt.error = error;
  if (status != 0) attempt.head = times_.response_head;
}

std::vector<std::string> Exchange::filters_that_ran() {
  std::vector<std::string> out;
  for (std::uint32_t at = 0; at < cursor_; ++at) {
    const FilterChain::Entry* const one = entry(Hook::kRequestHead, at);
    if (one == nullptr) break;
    const bool replied = at + 1 == trace_->replied_by;
    out.push_back(std::string(one->filter->stem()) + (replied ? " answered" : " passed"));
  }
  return out;
}

// The response's head is about to leave.
void Exchange::tell_decisions() {
  if (!trace_->tells) return;
  response_->remove(kDebug);  // what a backend says there is not ours
  observe::Decisions told;
  told.listener = facts_.listener->name;
  std::string route;
  std::string match;
  if (plan_ != nullptr) {
    route = route_text(plan_->route());
    match = match_text(plan_->route());
  }
  told.route = route;
  told.match = match;
  if (backend_ != nullptr) told.cluster = backend_->cluster;
  told.filters = filters_that_ran();
  told.status = response_->status();
  told.error = error_;
  if (attempt_ != nullptr && !trace_->attempts.empty()) {
    observe::TracedAttempt& last = trace_->attempts.back();
    if (last.ended == base::TimePoint{}) {
      last.endpoint = attempt_->endpoint().id;
      last.connect = attempt_->connect_time();
      last.reused = attempt_->reused();
      last.status = upstream_status_;
      if (upstream_status_ != 0) last.head = times_.response_head;
    }
  }
  for (const std::string& line : observe::describe(*trace_, told, context_.worker.loop().now()))
    response_->add(kDebug, line);
}

}  // namespace weir::exchange
