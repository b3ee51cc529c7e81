// Frames of a hostile upstream, cut as the input says, against four exchanges that pause, resume,
// give up and send as the input says. Whatever comes, each exchange hears at most one end, nothing
// behind it, and only an answer that may be believed: no body beyond its announced length.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/check.h"
#include "common/loop/loop.h"
#include "dataplane/codec/h2_client.h"
#include "tests/unit/dataplane/codec/h2_frames.h"
#include "tests/unit/dataplane/codec/scripted.h"

namespace {

using weir::codec::BodyLength;

struct Exchange final : weir::codec::MessageTarget {
  weir::codec::MessageStream* stream = nullptr;
  bool head = false;
  bool over = false;
  std::uint64_t body = 0;
  BodyLength length = BodyLength::unknown();

  void on_interim(weir::codec::HeadPtr received) override {
    WEIR_CHECK(!over && !head && received->status() < 200);
  }
  void on_head(weir::codec::HeadPtr received, BodyLength announced) override {
    WEIR_CHECK(!over && !head && received->status() >= 200);
    head = true;
    length = announced;
  }
  void on_data(weir::worker::Slice data) override {
    WEIR_CHECK(!over && head && !data.empty());
    body += data.size();
    if (length.kind == BodyLength::Kind::kNone) WEIR_CHECK(body == 0);
    if (length.kind == BodyLength::Kind::kKnown) WEIR_CHECK(body <= length.bytes);
  }
  void on_trailers(weir::codec::HeadPtr) override { WEIR_CHECK(!over && head); }
  void on_end() override {
    WEIR_CHECK(!over && head);
    if (length.kind == BodyLength::Kind::kKnown) WEIR_CHECK(body == length.bytes);
    over = true;
  }
  void on_reset(const weir::base::Error& error) override {
    WEIR_CHECK(!over && !(error.retryable && head));
    over = true;
  }
  void on_writable() override { WEIR_CHECK(!over); }
};

struct Client final : weir::codec::ClientTarget {
  bool ended = false;
  void on_stream_over() override { WEIR_CHECK(!ended); }
  void on_session_end() override {
    WEIR_CHECK(!ended);
    ended = true;
  }
};

struct Rig {
  weir::base::ManualClock clock;
  weir::loop::Loop loop{clock};
  weir::codec::Memory memory;
  weir::codec::ScriptedWire wire;
  Client client;
  std::array<Exchange, 4> exchanges;
  std::unique_ptr<weir::codec::ClientSession> session;

  Rig() {
    weir::codec::SessionContext context = memory.context();
    context.loop = &loop;
    session = weir::codec::make_h2_client(context, wire, client, {false, 4, 4});
    session->on_bytes(weir::codec::settings());
    loop.run_once({});
  }

  void start(Exchange& exchange, bool with_body) {
    if (client.ended || exchange.stream != nullptr || !session->can_open()) return;
    exchange.stream = &session->open(exchange);
    weir::codec::Head head;
    head.set_method(with_body ? "POST" : "GET");
    head.set_target("/");
    head.set_authority("h");
    exchange.stream->send_head(head, with_body ? BodyLength::unknown() : BodyLength::none());
  }

  void act(unsigned what) {
    Exchange& exchange = exchanges[what % exchanges.size()];
    what /= 4;
    if (exchange.stream == nullptr) return start(exchange, what % 2 == 1);
    if (exchange.over) return;
    switch (what % 5) {
      case 0:
        return exchange.stream->pause();
      case 1:
        return exchange.stream->resume();
      case 2:
        return exchange.stream->send_data(weir::worker::Slice::borrowed("body"));
      case 3:
        return exchange.stream->send_end();
      default:
        exchange.over = true;
        exchange.stream->reset(
            {weir::base::ErrorKind::kClosed, weir::base::Origin::kSelf, false, ""});
    }
  }
};

}  // namespace

// Each step: what an exchange does, how many bytes the upstream sends, and these.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Rig rig;
  for (Exchange& exchange : rig.exchanges) rig.start(exchange, &exchange == &rig.exchanges[3]);
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  while (bytes.size() >= 2 && !rig.client.ended) {
    rig.act(static_cast<unsigned char>(bytes[0]));
    const std::size_t most = static_cast<unsigned char>(bytes[1]);
    rig.session->on_bytes(bytes.substr(2, most));
    bytes.remove_prefix(std::min(bytes.size(), most + 2));
    rig.loop.run_once({});
    rig.wire.out.clear();
  }
  if (!rig.client.ended) rig.session->on_lost({});
  for (const Exchange& exchange : rig.exchanges) WEIR_CHECK(exchange.over || !exchange.stream);
  return 0;
}
