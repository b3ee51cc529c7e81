#include "tests/bytes/relay.h"

#include <utility>

#include "dataplane/codec/hop_by_hop.h"

namespace weir::bytes {
namespace {

using codec::BodyLength;
using codec::HeadPtr;

// For what was forwarded: a head at our limits grows by our own fields.
constexpr codec::Limits kWide{.head_bytes = 1'000'000, .fields = 1'000, .target_bytes = 1'000'000};

// Forwards one request as the exchange will: what it writes goes to a client session of its own.
class Forwarding final : public codec::MessageTarget {
 public:
  Forwarding(codec::Memory& memory, codec::MessageStream& client, Relayed& relayed)
      : client_(client),
        relayed_(relayed),
        session_(codec::make_h1_client(memory.context(), wire_, owner_)),
        upstream_(session_->open(response_)) {}

  void on_interim(HeadPtr) override {}
  void on_head(HeadPtr head, BodyLength length) override {
    codec::strip_hop_by_hop(*head);
    if (head->authority().empty()) head->set_authority("default");
    has_body_ = length.kind != BodyLength::Kind::kNone;
    upstream_.send_head(*head, length);
  }
  void on_data(worker::Slice data) override { upstream_.send_data(std::move(data)); }
  void on_trailers(HeadPtr trailers) override {
    upstream_.send_trailers(*trailers);
    has_body_ = false;
  }
  void on_end() override {
    if (has_body_) upstream_.send_end();
    relayed_.messages.push_back(wire_.out);
    codec::Head reply;
    reply.set_status(200);
    client_.send_head(reply, BodyLength::none());
  }
  void on_reset(const base::Error&) override {}
  void on_writable() override {}

 private:
  codec::MessageStream& client_;
  Relayed& relayed_;
  codec::ScriptedWire wire_;
  codec::ScriptedClient owner_;
  codec::RecordingTarget response_;
  std::unique_ptr<codec::ClientSession> session_;
  codec::MessageStream& upstream_;
  bool has_body_ = false;
};

class Proxy final : public codec::ServerTarget {
 public:
  explicit Proxy(const codec::Limits& limits) { memory.limits = limits; }

  codec::MessageTarget& on_request(codec::MessageStream& stream) override {
    requests_.push_back(std::make_unique<Forwarding>(memory, stream, relayed));
    return *requests_.back();
  }
  void on_bad_request(codec::MessageStream& stream, int status, const base::Error&,
                      const codec::Head*) override {
    relayed.refused.push_back(status);
    codec::Head reply;
    reply.set_status(status);
    stream.send_head(reply, BodyLength::none());
  }
  void on_session_end() override { relayed.ended = true; }

  codec::Memory memory;
  Relayed relayed;

 private:
  std::vector<std::unique_ptr<Forwarding>> requests_;
};

Relayed relay(std::string_view bytes, const std::vector<std::size_t>& cuts,
              const codec::Limits& limits) {
  Proxy proxy(limits);
  codec::ScriptedWire wire;
  const auto session = codec::make_h1_server(proxy.memory.context(), wire, proxy);
  std::size_t at = 0;
  const auto read_to = [&](std::size_t end) {
    // A copy of its own, so that a view kept too long is found by the address sanitizer.
    const std::string part(bytes.substr(at, end - at));
    session->on_bytes(part);
    at = end;
  };
  for (const std::size_t cut : cuts) {
    if (cut > at && cut < bytes.size()) read_to(cut);
  }
  read_to(bytes.size());
  return std::move(proxy.relayed);
}

}  // namespace

Relayed relay_requests(std::string_view bytes, const std::vector<std::size_t>& cuts) {
  return relay(bytes, cuts, codec::Limits());
}

Reading read_requests(std::string_view bytes) {
  codec::Memory memory;
  memory.limits = kWide;
  codec::ScriptedWire wire;
  codec::ScriptedServer server;
  const auto session = codec::make_h1_server(memory.context(), wire, server);
  server.answer = true;
  session->on_bytes(bytes);
  Reading reading;
  reading.whole = server.refused.empty() && session->phase() == codec::SessionPhase::kIdle;
  for (const auto& received : server.requests) {
    reading.whole = reading.whole && received->ended;
    auto request = std::make_unique<Request>();
    request->head.copy_from(*received->head);
    request->body = received->body;
    reading.requests.push_back(std::move(request));
  }
  return reading;
}

std::string find_second_reading(const Relayed& relayed) {
  for (const std::string& message : relayed.messages) {
    const Reading reading = read_requests(message);
    if (!reading.whole) return "not a whole request: " + message;
    if (reading.requests.size() != 1) return "not exactly one request: " + message;
    // Forwarding again must change nothing: the reading is a fixed point.
    const Relayed again = relay(message, {}, kWide);
    if (again.messages.size() != 1 || again.messages[0] != message) {
      return "a second reading: " + message;
    }
  }
  return "";
}

}  // namespace weir::bytes
