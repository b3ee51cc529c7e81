#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::bytes {

// What became of the bytes of one client connection in a minimal proxy: our server session, hop by
// hop rules, our client session. No sockets.
struct Relayed {
  std::vector<std::string> messages;  // forwarded bytes, one entry for each whole request
  std::vector<int> refused;           // statuses of refusals
  bool ended = false;                 // the connection was closed
};

// cuts: after how many bytes each read ends, ascending; none: all bytes in one read.
Relayed relay_requests(std::string_view bytes, const std::vector<std::size_t>& cuts);

// The requests that a strict reader finds in bytes.
struct Request {
  codec::Head head;
  std::string body;
};
struct Reading {
  std::vector<std::unique_ptr<Request>> requests;
  bool whole = false;  // every byte belongs to a complete, accepted request
};
Reading read_requests(std::string_view bytes);

// Empty when each forwarded message reads as exactly one request; else what is wrong.
std::string find_second_reading(const Relayed& relayed);

}  // namespace weir::bytes
