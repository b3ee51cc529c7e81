#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace weir::codec {

// Why a message is not accepted. Texts are literals, so that a refusal costs nothing to carry.
struct Refusal {
  int status = 0;         // what a client is answered; 0: nothing is refused
  std::string_view text;  // a literal: the place and the broken rule
  explicit operator bool() const { return status != 0; }
};

inline base::Error to_error(const Refusal& refusal, base::Origin origin) {
  return base::Error{base::ErrorKind::kProtocol, origin, false, std::string(refusal.text)};
}

}  // namespace weir::codec
