// The filter chain of an exchange: the route's filters, then the chosen backend's.

#include "dataplane/exchange/exchange.h"

namespace weir::exchange {

// The at-th filter of a hook, or null behind the last. Makes its state the current one.
const FilterChain::Entry* Exchange::entry(Hook hook, std::size_t at) {
  if (plan_ == nullptr) return nullptr;
  const auto route = plan_->filters.at(hook);
  if (at < route.size()) {
    running_slot_ = route[at].slot;
    return &route[at];
  }
  if (backend_ == nullptr) return nullptr;
  const auto backend = backend_->filters.at(hook);
  at -= route.size();
  if (at >= backend.size()) return nullptr;
  running_slot_ = static_cast<std::uint32_t>(plan_->filters.size()) + backend[at].slot;
  return &backend[at];
}

Verdict Exchange::run_data_hooks(worker::Slice& data) {
  for (std::size_t at = 0; const auto* next = entry(Hook::kRequestData, at); ++at) {
    const Verdict verdict = next->filter->on_request_data(*this, data);
    WEIR_CHECK(verdict != Verdict::kWait);
    if (verdict == Verdict::kReplied) return verdict;
  }
  return Verdict::kContinue;
}

Verdict Exchange::run_end_hooks() {
  for (std::size_t at = 0; const auto* next = entry(Hook::kRequestEnd, at); ++at) {
    const Verdict verdict = next->filter->on_request_end(*this);
    WEIR_CHECK(verdict != Verdict::kWait);
    if (verdict == Verdict::kReplied) return verdict;
  }
  return Verdict::kContinue;
}

void Exchange::run_response_head_hooks() {
  for (std::size_t at = 0; const auto* next = entry(Hook::kResponseHead, at); ++at) {
    next->filter->on_response_head(*this);
  }
}

void Exchange::run_response_data_hooks(worker::Slice& data) {
  for (std::size_t at = 0; const auto* next = entry(Hook::kResponseData, at); ++at) {
    next->filter->on_response_data(*this, data);
  }
}

void Exchange::run_response_end_hooks() {
  for (std::size_t at = 0; const auto* next = entry(Hook::kResponseEnd, at); ++at) {
    next->filter->on_response_end(*this);
  }
}

void Exchange::run_complete_hooks() {
  for (std::size_t at = 0; const auto* next = entry(Hook::kComplete, at); ++at) {
    next->filter->on_complete(*this);
  }
}

WaitTicket Exchange::begin_wait() {
  context_.local.waits.close(ticket_);
  ticket_ = context_.local.waits.open(*this);
  return ticket_;
}

void Exchange::resume() {
  context_.local.waits.close(ticket_);
  wait_.reset();
  if (over() || phase_ != Phase::kRequestFilters) return;
  if (response_ != nullptr) phase_ = Phase::kReply;
  if (response_ != nullptr && trace_ != nullptr) trace_->replied_by = cursor_;
  advance();
}

}  // namespace weir::exchange
