// The way of an exchange, from top to bottom. Each step either goes on to the next phase or parks,
// and then an event (client_body.cc, attempts.cc, response.cc, deadlines.cc) moves the exchange on.
// kConnect: on_attempt_ready, on_attempt_failed. kAwaitResponse: on_upstream_head,
// on_upstream_lost. kBodies: on_data and on_upstream_data, until on_upstream_end. kTunnel: likewise,
// until close_tunnel.

#include "dataplane/exchange/exchange.h"

namespace weir::exchange {

Exchange::Next Exchange::step() {
  switch (phase_) {
    case Phase::kHead:
      return take_head();
    case Phase::kRoute:
      return find_route();
    case Phase::kBackend:
      return choose_backend();
    case Phase::kRequestFilters:
      return run_request_filters();
    case Phase::kHoldBody:
      return hold_body();
    case Phase::kCollectBody:
      return collect_body();
    case Phase::kPickEndpoint:
      return pick_endpoint();
    case Phase::kSendRequest:
      return send_request();
    case Phase::kResponseHead:
      return pass_response_head();
    case Phase::kReply:
      return send_reply();
    case Phase::kDone:
      return finish();
    default:  // an event moves it on
      break;
  }
  return Next::kPark;
}

void Exchange::advance() {
  while (step() == Next::kGo) {
  }
}

}  // namespace weir::exchange
