#pragma once

#include <cstdint>
#include <string>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

// kOff: none is asked for. kRequired, kOptional: one that is sent must verify. kOptionalNoCa: one
// whose authority is unknown passes too, and the upstream judges.
enum class ClientCertificateMode : std::uint8_t { kOff, kRequired, kOptional, kOptionalNoCa };
inline base::EnumNames enum_names(ClientCertificateMode) {
  return {"off", "required", "optional", "optional_no_ca"};
}

// What the handshake for a host asks of the client. A handshake never fails for it: the outcome is
// noted, and the feature client_certificate of the host's routes answers.
struct ClientTls {
  ClientCertificateMode mode = ClientCertificateMode::kOff;
  std::string trust;        // name of a Trust; not needed for kOff
  std::uint32_t depth = 1;  // most intermediate authorities between leaf and anchor
  bool operator==(const ClientTls&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("mode", &ClientTls::mode), field("trust", &ClientTls::trust),
              field("depth", &ClientTls::depth));
  }
};

}  // namespace weir::model
