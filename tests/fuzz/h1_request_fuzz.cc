// Client bytes, cut as the input says: the verdict must not depend on the cuts, and what is
// forwarded must read as exactly the requests that were accepted.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/check.h"
#include "tests/bytes/relay.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  std::vector<std::size_t> cuts;
  std::size_t at = 0;
  for (std::size_t i = 0; i < 4; ++i) cuts.push_back(at += data[i]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 4, size - 4);

  const weir::bytes::Relayed whole = weir::bytes::relay_requests(bytes, {});
  WEIR_CHECK(weir::bytes::find_second_reading(whole).empty());
  const weir::bytes::Relayed cut = weir::bytes::relay_requests(bytes, cuts);
  WEIR_CHECK(weir::bytes::find_second_reading(cut).empty());
  WEIR_CHECK(cut.refused == whole.refused && cut.ended == whole.ended);
  WEIR_CHECK(cut.messages.size() == whole.messages.size());
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    // Cuts change where chunks begin, but not what the message says.
    const auto a = weir::bytes::read_requests(whole.messages[i]);
    const auto b = weir::bytes::read_requests(cut.messages[i]);
    WEIR_CHECK(a.requests[0]->body == b.requests[0]->body);
    WEIR_CHECK(weir::codec::to_text(a.requests[0]->head) ==
               weir::codec::to_text(b.requests[0]->head));
  }
  return 0;
}
