// Upstream bytes, cut in two as the input says: the same events whatever the cut, and what the
// server session writes to the client must read as exactly the response that was accepted.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/check.h"
#include "tests/unit/dataplane/codec/scripted.h"

namespace {

using weir::codec::BodyLength;

struct Outcome {
  std::string story;
  bool reusable = false;
  bool ended = false;
};

// Feeds one client session; kept by value, since the session's pools die here.
Outcome read(std::string_view bytes, std::string_view method, std::size_t cut) {
  weir::codec::ClientRig rig;
  rig.send(method);
  rig.session->on_bytes(std::string(bytes.substr(0, cut)));
  rig.session->on_bytes(std::string(bytes.substr(std::min(cut, bytes.size()))));
  rig.session->on_read_closed();
  return {rig.story(), rig.session->can_open(), rig.target.ended};
}

// A client session whose response goes to a server session's client, read again by a third.
class Answer final : public weir::codec::MessageTarget {
 public:
  explicit Answer(weir::codec::MessageStream& client) : client_(client) {}
  void on_interim(weir::codec::HeadPtr head) override { client_.send_interim(*head); }
  void on_head(weir::codec::HeadPtr head, BodyLength length) override {
    has_body = length.kind != BodyLength::Kind::kNone;
    client_.send_head(*head, length);
  }
  void on_data(weir::worker::Slice data) override {
    body += data.bytes();
    client_.send_data(std::move(data));
  }
  void on_trailers(weir::codec::HeadPtr trailers) override {
    client_.send_trailers(*trailers);
    has_body = false;
  }
  void on_end() override {
    if (has_body) client_.send_end();
    ended = true;
  }
  void on_reset(const weir::base::Error&) override {}
  void on_writable() override {}
  bool has_body = false;
  bool ended = false;
  std::string body;

 private:
  weir::codec::MessageStream& client_;
};

void check_forwarded(std::string_view bytes) {
  weir::codec::ServerRig server;
  server.session->on_bytes("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  Answer answer(*server.server.stream);
  weir::codec::ClientRig upstream;
  weir::codec::MessageStream& stream = upstream.session->open(answer);
  weir::codec::Head head;
  head.set_method("GET");
  head.set_target("/");
  head.set_authority("h");
  stream.send_head(head, BodyLength::none());
  upstream.session->on_bytes(bytes);
  upstream.session->on_read_closed();
  if (!answer.ended) return;
  weir::codec::ClientRig reader;
  // What we add ourselves (Connection, Transfer-Encoding) may lie above a limit just reached.
  reader.memory.limits.fields += 4;
  reader.memory.limits.head_bytes += 256;
  reader.send("GET");
  reader.session->on_bytes(server.wire.out);
  WEIR_CHECK(reader.target.ended && !reader.target.error);
  WEIR_CHECK(reader.target.body == answer.body);
  WEIR_CHECK(reader.session->can_open() || server.server.session_ends == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view method = data[0] % 2 == 0 ? "GET" : "HEAD";
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Outcome whole = read(bytes, method, bytes.size());
  const Outcome cut = read(bytes, method, data[1]);
  WEIR_CHECK(whole.story == cut.story && whole.reusable == cut.reusable);
  check_forwarded(bytes);
  return 0;
}
