#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "controller/peers/ack_book.h"

namespace weir::peers {

// The one message of the channel: {"applied":{"Ingress":"1234","Service":"99"}}. Other members are
// ignored, so that newer replicas may say more.
std::string to_line(const Acks& acks);  // without its end
//   errors: kInvalid, without what was said.
base::Result<Acks> parse_line(std::string_view line);

}  // namespace weir::peers
