#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/loop/loop.h"
#include "dataplane/codec/h2_server.h"
#include "tests/h2/frames.h"
#include "tests/h2/peer.h"
#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::codec {

// A server session whose requests each keep their stream, so that several can be open.
struct H2Server final : ServerTarget {
  struct Exchange final : RecordingTarget {
    MessageStream* stream = nullptr;
    void reply(int status, std::string_view page) {
      Head response;
      response.set_status(status);
      stream->send_head(response, BodyLength::known(page.size()));
      if (page.empty()) return;
      stream->send_data(worker::Slice::borrowed(page));
      stream->send_end();
    }
  };
  std::vector<std::unique_ptr<Exchange>> exchanges;
  std::function<void(Exchange&)> prepare;
  std::vector<int> refused;
  int session_ends = 0;

  Exchange& last() { return *exchanges.back(); }
  MessageTarget& on_request(MessageStream& stream) override {
    exchanges.push_back(std::make_unique<Exchange>());
    last().stream = &stream;
    if (prepare) prepare(last());
    return last();
  }
  void on_bad_request(MessageStream& stream, int status, const base::Error&, const Head*) override {
    refused.push_back(status);
    Head response;
    response.set_status(status);
    stream.send_head(response, BodyLength::known(3));
    stream.send_data(worker::Slice::borrowed("bad"));
    stream.send_end();
  }
  void on_session_end() override { ++session_ends; }
};

// Both ends joined without sockets, and a clock that tests advance.
struct H2Rig {
  explicit H2Rig(H2ServerOptions options = {}, h2::Peer::Options client = {})
      : peer(client),
        session(make_h2_server({memory.buffers, memory.heads, memory.limits, &loop}, wire, server,
                               options)) {}

  base::ManualClock clock;
  Memory memory;
  loop::Loop loop{clock};
  ScriptedWire wire;
  H2Server server;
  h2::Peer peer;
  std::unique_ptr<ServerSession> session;
  std::string heard;  // every byte from the server

  void turn() { loop.run_once(base::Duration::zero()); }
  // Raw bytes of a client, and what the server says to them.
  std::string raw(std::string_view bytes) {
    session->on_bytes(bytes);
    turn();
    return take();
  }
  std::string take() {
    std::string out = std::exchange(wire.out, {});
    heard += out;
    return out;
  }
  // Carries bytes both ways until neither side has more to say.
  void settle() {
    for (int i = 0; i < 1000; ++i) {
      const std::string to_server = peer.output();
      if (!to_server.empty()) session->on_bytes(to_server);
      turn();
      const std::string to_client = take();
      if (!to_client.empty()) ok = peer.feed(to_client) && ok;
      if (to_server.empty() && to_client.empty()) return;
    }
    ok = false;
  }
  bool ok = true;
};

// The last frame of that type, null when there is none.
inline const h2::Frame* last_of(const std::vector<h2::Frame>& frames, h2::Type type) {
  const h2::Frame* found = nullptr;
  for (const h2::Frame& frame : frames) {
    if (frame.type == type) found = &frame;
  }
  return found;
}

}  // namespace weir::codec
