#pragma once

#include "dataplane/exchange/body_door.h"
#include "dataplane/exchange/date.h"
#include "dataplane/exchange/request_id.h"
#include "dataplane/exchange/route_queue.h"
#include "dataplane/exchange/split.h"
#include "dataplane/exchange/wait.h"

namespace weir::exchange {

// What the exchanges of one worker share and nobody else looks at.
struct ExchangeLocal {
  DateText date;
  RequestIds ids;
  SplitTable splits;
  WaitTable waits;
  BodyDoor bodies;
  RouteQueue routes;
};

}  // namespace weir::exchange
