// What an exchange answers, and the WebSocket that looks like HTTP/1.1's to it.

#include <sys/random.h>

#include <array>
#include <string>

#include "common/base/check.h"
#include "common/base/text.h"
#include "dataplane/codec/h2_server_session.h"

namespace weir::codec {
namespace {

constexpr std::size_t kKeyBytes = 16;  // RFC 6455 section 4.1

std::string base64(const std::array<std::uint8_t, kKeyBytes>& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < kKeyBytes; at += 3) {
    const std::size_t have = std::min<std::size_t>(3, kKeyBytes - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < have ? bytes[at + i] : 0U);
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= have ? kDigits[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return out;
}

std::string make_key() {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  WEIR_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return base64(bytes);
}

bool has_no_body(int status) { return status == 204 || status == 304; }

// RFC 9110 section 8.6: what a GET would have brought.
void add_length_without_body(const Head& head, BodyLength length, H2FieldList& fields) {
  if (head.status() == 204) return;
  if (length.kind == BodyLength::Kind::kKnown) return fields.add_length(length.bytes);
  if (const auto bytes = h2_content_length(head)) fields.add_length(*bytes);
}

}  // namespace

void H2ServerSession::ask_tunnel(H2Stream& stream, HeadPtr head) {
  stream.mark |= kAsksTunnel;
  stream.set_holding(true);
  MessageTarget* const target = stream.target();
  head->set_method("GET");
  head->remove("sec-websocket-key");
  head->add("connection", "Upgrade");
  head->add("upgrade", "websocket");
  head->add("sec-websocket-key", make_key());
  target->on_head(std::move(head), BodyLength::none());
  if (stream.target() == target) target->on_end();
}

void H2ServerSession::submit_interim(H2Stream& stream, const Head& head) {
  if (ended() || head.status() == 101) return;
  H2FieldList& fields = h2_scratch_fields();
  fields.add_status(head.status());
  fields.add_fields(head);
  nghttp2_submit_headers(handle(), NGHTTP2_FLAG_NONE, stream.id(), nullptr, fields.data(),
                         fields.size(), nullptr);
}

void H2ServerSession::submit_head(H2Stream& stream, const Head& head, BodyLength length) {
  if (ended()) return;
  if (head.status() == 101) return open_tunnel(stream, head);
  const bool is_success = head.status() >= 200 && head.status() < 300;
  // A 2xx would tell the client that its tunnel is open.
  const bool is_no_tunnel = (stream.mark & kAsksTunnel) != 0 && is_success;
  const bool is_empty = (stream.mark & kAnswersHead) != 0 || has_no_body(head.status());
  H2FieldList& fields = h2_scratch_fields();
  fields.add_status(is_no_tunnel ? 502 : head.status());
  if (is_empty) {
    add_length_without_body(head, length, fields);
    if (length.kind != BodyLength::Kind::kNone) stream.swallow();
  } else if (length.kind != BodyLength::Kind::kUnknown) {
    fields.add_length(length.bytes);
  }
  fields.add_fields(head);
  submit_response(stream, fields, !is_empty && length.kind != BodyLength::Kind::kNone);
}

void H2ServerSession::submit_response(H2Stream& stream, const H2FieldList& fields, bool has_body) {
  nghttp2_data_provider body = stream.provider();
  nghttp2_submit_response(handle(), stream.id(), fields.data(), fields.size(),
                          has_body ? &body : nullptr);
}

void H2ServerSession::open_tunnel(H2Stream& stream, const Head& head) {
  if ((stream.mark & kAsksTunnel) == 0) {
    return reset_stream(stream, {base::ErrorKind::kProtocol, base::Origin::kUpstream, false,
                                 "response: 101 to a request that asked for no upgrade"});
  }
  H2FieldList& fields = h2_scratch_fields();
  fields.add_status(200);
  Head plain;
  plain.copy_from(head);
  plain.remove("sec-websocket-accept");
  fields.add_fields(plain);
  submit_response(stream, fields, true);
  stream.set_holding(false);
  stream.deliver();
}

}  // namespace weir::codec
