#include <cstdint>
#include <string_view>

#include "common/base/check.h"
#include "dataplane/transport/client_hello.h"

// ClientHellos: what is whole stays so whatever follows, and no prefix of it was something else.

using namespace weir::transport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ClientHello whole;
  const HelloOutcome outcome = parse_client_hello(bytes, whole);
  if (!bytes.empty()) judge_opening(bytes);
  WEIR_CHECK(whole.alpn.size() <= 16 && whole.server_name.size() <= 255);
  for (std::size_t cut = 0; cut < size && size < 512; ++cut) {
    ClientHello part;
    const HelloOutcome before = parse_client_hello(bytes.substr(0, cut), part);
    if (outcome == HelloOutcome::kIncomplete) WEIR_CHECK(before == HelloOutcome::kIncomplete);
    if (before == HelloOutcome::kIncomplete) continue;
    WEIR_CHECK(before == outcome);
    WEIR_CHECK(part.server_name == whole.server_name || outcome == HelloOutcome::kInvalid);
  }
  return 0;
}
