#include "dataplane/codec/h1_serialize.h"

#include <charconv>
#include <cstring>

#include "common/base/check.h"
#include "dataplane/codec/h1_chunked.h"
#include "dataplane/codec/hop_by_hop.h"

namespace weir::codec {
namespace {

// Start line around method and target or reason, and every line that the session may add but for
// the upgrade's value.
constexpr std::size_t kRoomAround = 256;
constexpr std::size_t kRoomPerField = 4;  // ": " and CRLF

// Appends to one chunk that was measured before.
class Writer {
 public:
  Writer(worker::BufferPool& pool, std::size_t room) : chunk_(pool.take(room)) {}

  void put(std::string_view text) {
    WEIR_CHECK(text.size() <= chunk_->capacity - used_);
    if (!text.empty()) std::memcpy(chunk_->data() + used_, text.data(), text.size());
    used_ += text.size();
  }
  void put_number(std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    put({digits, static_cast<std::size_t>(end - digits)});
  }
  void put_line(std::string_view name, std::string_view value) {
    WEIR_CHECK(name.size() + value.size() + kRoomPerField <= chunk_->capacity - used_);
    char* out = chunk_->data() + used_;
    if (!name.empty()) std::memcpy(out, name.data(), name.size());
    out += name.size();
    *out++ = ':';
    *out++ = ' ';
    if (!value.empty()) std::memcpy(out, value.data(), value.size());
    out += value.size();
    *out++ = '\r';
    *out = '\n';
    used_ += name.size() + value.size() + kRoomPerField;
  }
  worker::Slice finish() { return {std::string_view(chunk_->data(), used_), chunk_}; }

 private:
  worker::Chunk* chunk_;  // handed over by finish()
  std::size_t used_ = 0;
};

// Summed from the views and not taken from Head::bytes(), since two of them may share bytes.
std::size_t measure(const Head& head, const ConnectionFields& connection) {
  std::size_t room = kRoomAround + head.method().size() + head.target().size() +
                     head.authority().size() + head.reason().size() + connection.upgrade.size();
  head.each(
      [&room](const FieldView& f) { room += f.name.size() + f.value.size() + kRoomPerField; });
  return room;
}

void put_fields(Writer& out, const Head& head) {
  head.each([&out](const FieldView& f) {
    if (!is_connection_level(f.id)) out.put_line(f.name, f.value);
  });
}

void put_connection(Writer& out, const ConnectionFields& fields) {
  if (fields.body == ConnectionFields::Body::kChunked) out.put("Transfer-Encoding: chunked\r\n");
  if (fields.body == ConnectionFields::Body::kLength) {
    out.put("Content-Length: ");
    out.put_number(fields.length);
    out.put("\r\n");
  }
  if (!fields.upgrade.empty()) {
    out.put("Connection: Upgrade\r\n");
    out.put_line("Upgrade", fields.upgrade);
  } else if (fields.close) {
    out.put("Connection: close\r\n");
  } else if (fields.keep_alive) {
    out.put("Connection: keep-alive\r\n");
  }
  if (fields.trailers) out.put("Connection: TE\r\nTE: trailers\r\n");
  out.put("\r\n");
}

}  // namespace

worker::Slice serialize_request(worker::BufferPool& pool, const Head& head,
                                const ConnectionFields& connection) {
  Writer out(pool, measure(head, connection));
  out.put(head.method());
  out.put(" ");
  out.put(head.target());
  out.put(" HTTP/1.1\r\n");
  out.put_line("Host", head.authority());
  put_fields(out, head);
  put_connection(out, connection);
  return out.finish();
}

worker::Slice serialize_response(worker::BufferPool& pool, const Head& head,
                                 const ConnectionFields& connection) {
  Writer out(pool, measure(head, connection));
  out.put("HTTP/1.1 ");
  out.put_number(static_cast<std::uint64_t>(head.status()));
  out.put(" ");
  out.put(head.reason().empty() ? usual_reason(head.status()) : head.reason());
  out.put("\r\n");
  put_fields(out, head);
  put_connection(out, connection);
  return out.finish();
}

worker::Slice serialize_trailers(worker::BufferPool& pool, const Head& trailers) {
  Writer out(pool, measure(trailers, {}));
  out.put("0\r\n");
  trailers.each([&out](const FieldView& f) {
    if (!is_forbidden_trailer(f)) out.put_line(f.name, f.value);
  });
  out.put("\r\n");
  return out.finish();
}

}  // namespace weir::codec
