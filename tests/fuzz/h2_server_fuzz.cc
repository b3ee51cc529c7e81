// Frames into an HTTP/2 server session, behind openings that are made here so that the fuzzer
// starts deep. Its targets answer, pause, resume and reset as the input says. At the end all memory
// is back, and no target heard anything behind its end.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/check.h"
#include "tests/unit/dataplane/codec/h2_rig.h"

namespace {

using namespace weir;
using Exchange = codec::H2Server::Exchange;

std::string opening(unsigned which) {
  const std::string plain = h2::opening();
  switch (which % 6) {
    case 0:
      return "";
    case 1:
      return plain;
    case 2:
      return plain + h2::headers(1, h2::get());
    case 3:
      return plain + h2::headers(1, h2::get(), false) + h2::frame(h2::kData, 0, 1, "body");
    case 4:
      return plain + h2::settings(4, 0) + h2::headers(1, h2::get()) + h2::headers(3, h2::get());
    default:
      return plain + h2::headers(1,
                                 {{":method", "CONNECT"},
                                  {":protocol", "websocket"},
                                  {":scheme", "http"},
                                  {":path", "/"},
                                  {":authority", "a.test"}},
                                 false);
  }
}

void react(Exchange& exchange, unsigned how) {
  switch (how % 5) {
    case 0:
      exchange.then_end = [&exchange] { exchange.reply(200, "answer"); };
      break;
    case 1:
      exchange.then_head = [&exchange] { exchange.reply(413, "early"); };
      break;
    case 2:
      exchange.then_head = [&exchange] { exchange.stream->pause(); };
      break;
    case 3:
      exchange.then_data = [&exchange] {
        exchange.then_data = nullptr;
        exchange.stream->reset(
            {base::ErrorKind::kClosed, base::Origin::kUpstream, false, "broken off"});
      };
      break;
    default:
      exchange.then_head = [&exchange] {
        codec::Head response;
        response.set_status(exchange.head->find("upgrade") ? 101 : 200);
        exchange.stream->send_head(response, codec::BodyLength::unknown());
        exchange.stream->send_data(worker::Slice::borrowed(std::string(9000, 'x')));
      };
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  codec::H2Rig rig;
  unsigned how = data[1];
  rig.server.prepare = [&how](Exchange& exchange) { react(exchange, how++); };
  rig.session->on_bytes(opening(data[0]));
  const std::size_t cut = data[2] + 1U;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  while (!bytes.empty() && rig.server.session_ends == 0) {
    const std::string_view part = bytes.substr(0, cut);
    rig.session->on_bytes(part);
    bytes.remove_prefix(part.size());
    if (data[1] % 2 == 0) rig.turn();
  }
  rig.turn();
  if (rig.server.session_ends == 0) {
    rig.session->on_lost({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  }
  rig.session.reset();
  for (const auto& exchange : rig.server.exchanges) {
    int ends = 0;
    for (const std::string& event : exchange->events) {
      WEIR_CHECK(!exchange->error || event != exchange->events.back() ||
                 event.starts_with("reset"));
      ends += event == "end" ? 1 : 0;
    }
    WEIR_CHECK(ends <= 2);
    exchange->head.reset();
  }
  WEIR_CHECK(rig.memory.buffers.chunks_taken() == 0);
  WEIR_CHECK(rig.memory.budget.used() == 0);
  return 0;
}
