#include "dataplane/exchange/route_queue.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/exchange/exchange.h"

namespace weir::exchange {

void RouteQueue::add(Exchange& exchange, loop::Loop& loop) {
  waiting_.push_back(&exchange);
  loop.flush_later(*this);
}

void RouteQueue::forget(const Exchange& exchange) {
  std::erase(waiting_, &exchange);
  std::replace(routing_.begin(), routing_.end(), const_cast<Exchange*>(&exchange),
               static_cast<Exchange*>(nullptr));
}

void RouteQueue::flush() {
  routing_.swap(waiting_);
  for (std::size_t first = 0; first < routing_.size(); first += kTogether) {
    route(first, std::min(first + kTogether, routing_.size()));
  }
  routing_.clear();
}

// What one exchange does may end another one, so each step looks whether it is still there.
void RouteQueue::route(std::size_t first, std::size_t last) {
  using Ahead = routing::RouteTable::Ahead;
  std::array<Ahead, kTogether> ahead;
  for (std::size_t i = first; i < last; ++i) {
    if (routing_[i] != nullptr) ahead[i - first] = routing_[i]->look_ahead();
  }
  for (unsigned step = 0; step < Ahead::kSteps; ++step) {
    for (std::size_t i = first; i < last; ++i) ahead[i - first].step(step);
  }
  for (std::size_t i = first; i < last; ++i) {
    if (routing_[i] != nullptr) routing_[i]->find_route();
  }
  for (std::size_t i = first; i < last; ++i) {
    if (routing_[i] != nullptr) routing_[i]->look_further();
  }
  for (std::size_t i = first; i < last; ++i) {
    if (Exchange* const exchange = std::exchange(routing_[i], nullptr)) exchange->begin();
  }
}

routing::RouteTable::Ahead Exchange::look_ahead() {
  const routing::RouteTable* table = context_.live->tables.find(facts_.listener->route_table);
  return table == nullptr ? routing::RouteTable::Ahead() : table->ahead(request_->authority());
}

// Most answers are 200; the series of that one is in a farther cache when it comes.
void Exchange::look_further() {
  if (plan_ == nullptr) return;
  plan_->fetch_more();
  context_.recorder.expect(plan_->labels, 200, request_->method());
}

}  // namespace weir::exchange
