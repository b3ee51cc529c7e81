#include <cstdint>
#include <string_view>

#include "common/base/check.h"
#include "dataplane/transport/proxy_protocol.h"

// PROXY headers: a whole one is read the same whatever follows, every proper prefix of it asks for
// more, and what it says survives being written and read again.

using namespace weir::transport;
using Outcome = ProxyRead::Outcome;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ProxyAddresses told;
  const ProxyRead read = read_proxy_header(bytes, told);
  if (read.outcome == Outcome::kIncomplete) WEIR_CHECK(read.size > size);
  if (read.outcome != Outcome::kInvalid) WEIR_CHECK(begins_proxy_header(bytes));
  if (read.outcome != Outcome::kDone) return 0;
  WEIR_CHECK(read.size <= size && read.size <= kLongestProxyHeader);
  for (std::size_t cut = 0; cut < read.size; ++cut) {
    ProxyAddresses part;
    const ProxyRead before = read_proxy_header(bytes.substr(0, cut), part);
    WEIR_CHECK(before.outcome == Outcome::kIncomplete && before.size <= read.size);
  }
  for (const std::string& again : {proxy_header_v1(told.source, told.destination),
                                   proxy_header_v2(told.source, told.destination)}) {
    ProxyAddresses back;
    const ProxyRead second = read_proxy_header(again, back);
    WEIR_CHECK(second.outcome == Outcome::kDone && second.size == again.size());
    WEIR_CHECK(back.relayed == told.relayed);
    if (told.relayed)
      WEIR_CHECK(back.source == told.source && back.destination == told.destination);
  }
  return 0;
}
