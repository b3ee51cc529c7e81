// Upgraded connections: bytes both ways with back-pressure until either side ends.

#include "dataplane/codec/hop_by_hop.h"
#include "dataplane/exchange/exchange.h"

namespace weir::exchange {

void Exchange::open_tunnel(codec::HeadPtr head) {
  const bool asked = wants_upgrade_ && request_state_ == Message::kEnded &&
                     head->find(codec::FieldId::kUpgrade).has_value();
  if (!asked) {
    answer(502, "the upstream switched protocols without being asked");
    return advance();
  }
  const std::string_view protocol = *head->find(codec::FieldId::kUpgrade);
  codec::strip_hop_by_hop(*head);
  head->add("Upgrade", protocol);  // a view into the head itself
  add_session(*head);
  response_ = std::move(head);
  if (trace_ != nullptr) tell_decisions();
  status_ = 101;
  phase_ = Phase::kTunnel;
  times_.client = times_.upstream;
  let_snapshot_go();
  body_.clear();
  // Bytes that the client sent ahead may come from inside.
  client_.send_head(*response_, codec::BodyLength::unknown());
  if (!over()) watch();
}

void Exchange::tunnel_to_upstream(worker::Slice data) {
  codec::MessageStream& upstream = attempt_->stream();
  upstream.send_data(std::move(data));
  if (!over() && upstream.queued() > codec::MessageStream::kHighMark) pause_client();
}

void Exchange::tunnel_to_client(worker::Slice data) {
  counts_.response += data.size();
  client_.send_data(std::move(data));
  if (!over() && client_.queued() > codec::MessageStream::kHighMark) pause_upstream();
}

// One side has ended; what it sent is queued on the other, which ends behind it.
void Exchange::close_tunnel() {
  phase_ = Phase::kDone;
  attempt_->stream().send_end();
  client_.send_end();
  advance();
}

// What lives long must not keep a whole configuration alive. The route's plan is pinned alone, by
// the shared counter that steady traffic never touches: only when the snapshot is not the live one
// any more, or never will be again for a tunnel.
void Exchange::let_snapshot_go() {
  if (!snapshot_.valid() || plan_ == nullptr) return;
  if (phase_ != Phase::kTunnel && &*snapshot_ == &*context_.live) return;
  pinned_ = plan_->weak_from_this().lock();
  WEIR_CHECK(pinned_ != nullptr);
  snapshot_.reset();
}

}  // namespace weir::exchange
