// The sending half of H1Server: what an exchange or the connection answers.

#include <optional>
#include <utility>

#include "common/base/text.h"
#include "dataplane/codec/h1_serialize.h"
#include "dataplane/codec/h1_server.h"

namespace weir::codec {
namespace {

using Body = ConnectionFields::Body;

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

// Where no body follows, Content-Length says what a GET would have brought (RFC 9110 section 8.6):
// the length that the sender knows, else the one that the upstream wrote.
void say_length_without_body(const Head& head, BodyLength length, ConnectionFields& fields) {
  if (head.status() < 200 || head.status() == 204) return;
  std::optional<std::uint64_t> bytes;
  if (length.kind == BodyLength::Kind::kKnown) bytes = length.bytes;
  if (const auto field = head.find(FieldId::kContentLength); field && !bytes) {
    bytes = base::parse_uint(*field);
  }
  if (!bytes) return;
  fields.body = Body::kLength;
  fields.length = *bytes;
}

}  // namespace

void H1Server::send_interim(const Head& head) {
  if (ended_ || !busy_ || head_sent_ || version_minor_ == 0) return;
  wire_.write(serialize_response(context_.buffers, head, {}));
}

void H1Server::send_head(const Head& head, BodyLength length) {
  if (ended_ || !busy_ || head_sent_) return;
  if (head.status() == 101) return open_tunnel(head);
  head_sent_ = true;
  ConnectionFields fields;
  BodyWriter::Mode mode = BodyWriter::Mode::kNothing;
  // A connection that is not for this host will not be for its next request either.
  constexpr int kMisdirected = 421;
  closing_ = closing_ || must_close() || head.status() == kMisdirected;
  if (answers_head_ || has_no_body(head.status())) {
    say_length_without_body(head, length, fields);
    mode = BodyWriter::Mode::kSwallowed;
  } else if (length.kind != BodyLength::Kind::kUnknown) {
    fields.body = Body::kLength;
    fields.length = length.bytes;
    mode = BodyWriter::Mode::kKnown;
  } else if (version_minor_ == 0) {
    closing_ = true;
    mode = BodyWriter::Mode::kRaw;
  } else {
    fields.body = Body::kChunked;
    mode = BodyWriter::Mode::kChunked;
  }
  fields.close = closing_;
  fields.keep_alive = version_minor_ == 0;
  writer_.start(mode, length.bytes);
  wire_.write(serialize_response(context_.buffers, head, fields));
  if (length.kind == BodyLength::Kind::kNone) finish_response();
}

void H1Server::send_data(worker::Slice data) {
  if (ended_ || !busy_ || !head_sent_) return;
  if (!writer_.send(std::move(data))) {
    break_off({base::ErrorKind::kInvalid, base::Origin::kSelf, false,
               "response: more body than its head announced"});
    return;
  }
  over_high_ = over_high_ || wire_.queued() > kHighMark;
}

// Bytes that the client sent ahead of the 101 have waited in the inbox until here.
void H1Server::open_tunnel(const Head& head) {
  if (!facts_.asks_upgrade || in_ != In::kDone) {
    break_off({base::ErrorKind::kProtocol, base::Origin::kUpstream, false,
               "response: 101 to a request that asked for no upgrade or has not ended"});
    return;
  }
  ConnectionFields fields;
  fields.upgrade = head.find(FieldId::kUpgrade).value_or("");
  head_sent_ = true;
  closing_ = true;
  writer_.start(BodyWriter::Mode::kRaw);
  wire_.write(serialize_response(context_.buffers, head, fields));
  in_ = In::kTunnel;
  run();
}

// A client that asked for an upgrade and sent bytes ahead may mean them for the other protocol:
// when the upgrade is refused they are not read as a request (RFC 9110 section 7.8 leaves them
// undefined).
bool H1Server::must_close() const {
  const bool is_request_read =
      in_ == In::kDone || (in_ == In::kBody && body_.ends_within(inbox_.size()));
  return draining_ || !facts_.keeps_connection || !is_request_read ||
         (facts_.asks_upgrade && !inbox_.empty()) || (read_closed_ && inbox_.empty());
}

void H1Server::end_message(const Head* trailers) {
  if (ended_ || !busy_ || !head_sent_) return;
  if (!writer_.end(trailers)) {
    break_off({base::ErrorKind::kInvalid, base::Origin::kSelf, false,
               "response: less body than its head announced"});
    return;
  }
  finish_response();
}

void H1Server::finish_response() {
  target_ = nullptr;
  if (closing_ || draining_) return end_session();
  busy_ = false;
  paused_ = false;
  over_high_ = false;
  if (in_ == In::kDone) in_ = In::kHead;
  run();
}

}  // namespace weir::codec
