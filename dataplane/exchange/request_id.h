#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::exchange {

// Names requests: 32 hex digits from a generator that is seeded by the kernel. Unique, not secret.
// One worker.
class RequestIds {
 public:
  RequestIds();
  std::array<char, 32> next();
  std::uint64_t next_word();  // 64 of an id's bits

 private:
  std::uint64_t high_;
  std::uint64_t low_;
};

// True for an id of a client that may be passed on and logged as it is: 1 to 128 letters, digits
// and "-_.:/+=@".
bool is_request_id(std::string_view text);

}  // namespace weir::exchange
