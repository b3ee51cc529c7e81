// gRPC-Web (the gRPC project's PROTOCOL-WEB page): a browser reads no trailers, so they come as the
// last frame of the body; and where it can send no binary body, both bodies are base64. Towards the
// backend it is plain gRPC. Works whatever HTTP version the client speaks.

#include "common/features/grpc_web.h"

#include <array>

#include "common/base/text.h"
#include "dataplane/exchange/exchange.h"
#include "dataplane/filters/kinds.h"
#include "dataplane/filters/settings_of.h"

namespace weir::filters {
namespace {

using exchange::Exchange;
using exchange::Verdict;

constexpr std::string_view kWeb = "application/grpc-web";
constexpr std::string_view kText = "-text";
constexpr std::string_view kPlain = "application/grpc";
constexpr char kTrailerFrame = '\x80';

struct Bridge final : exchange::FilterState, upstream::Recycled<Bridge> {
  bool text = false;
  std::string kind;  // what stands behind the type: "+proto", or empty
  std::string held;  // characters of the request that are no whole group of four yet
};

Bridge* bridge_of(Exchange& exchange) { return static_cast<Bridge*>(exchange.state().get()); }

// The request's type without parameters, when it is gRPC-Web.
std::optional<std::string_view> web_type(const codec::Head& request) {
  const auto type = request.find(codec::FieldId::kContentType);
  if (!type || !base::starts_with_ignore_case(*type, kWeb)) return std::nullopt;
  const std::string_view bare = base::trim(type->substr(0, type->find(';')));
  const std::string_view rest = bare.substr(kWeb.size());
  const bool is_exact = rest.empty() || rest[0] == '+' || rest == kText ||
                        (rest.starts_with(kText) && rest[kText.size()] == '+');
  return is_exact ? std::optional(bare) : std::nullopt;
}

// Several messages may be encoded one by one, so that padding may stand inside (PROTOCOL-WEB).
std::optional<std::string> decode_groups(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t pad = text.find('=');
    const std::size_t end = pad == std::string_view::npos ? text.size() : (pad / 4 + 1) * 4;
    const auto part = base::base64_decode(text.substr(0, end));
    if (!part) return std::nullopt;
    out += *part;
    text.remove_prefix(end);
  }
  return out;
}

class GrpcWebFilter final : public exchange::Filter {
 public:
  explicit GrpcWebFilter(bool enabled) : enabled_(enabled) {}
  std::string_view stem() const override { return features::GrpcWeb::kStem; }
  exchange::Hooks hooks() const override {
    using exchange::Hook;
    if (!enabled_) return {};
    return exchange::Hooks()
        .with(Hook::kRequestHead)
        .with(Hook::kRequestData)
        .with(Hook::kRequestEnd)
        .with(Hook::kResponseHead)
        .with(Hook::kResponseData)
        .with(Hook::kResponseEnd);
  }
  exchange::BodyNeed body_need() const override { return {exchange::BodyNeed::Kind::kStream, 0}; }

  Verdict on_request_head(Exchange& exchange) const override {
    const auto type = web_type(exchange.request());
    if (!type) return Verdict::kContinue;
    auto bridge = std::make_unique<Bridge>();
    std::string_view rest = type->substr(kWeb.size());
    bridge->text = rest.starts_with(kText);
    if (bridge->text) rest.remove_prefix(kText.size());
    bridge->kind = rest;
    exchange.request().set("Content-Type", std::string(kPlain) + bridge->kind);
    exchange.request().set("TE", "trailers");
    if (bridge->text) exchange.unsize_request();
    exchange.state() = std::move(bridge);
    return Verdict::kContinue;
  }

  Verdict on_request_data(Exchange& exchange, worker::Slice& data) const override {
    Bridge* bridge = bridge_of(exchange);
    if (bridge == nullptr || !bridge->text) return Verdict::kContinue;
    bridge->held += data.bytes();
    const std::size_t whole = bridge->held.size() / 4 * 4;
    const auto bytes = decode_groups(std::string_view(bridge->held).substr(0, whole));
    if (!bytes) return refuse(exchange);
    bridge->held.erase(0, whole);
    data = exchange.context().worker.buffers().copy(*bytes);
    return Verdict::kContinue;
  }

  Verdict on_request_end(Exchange& exchange) const override {
    const Bridge* bridge = bridge_of(exchange);
    return bridge == nullptr || bridge->held.empty() ? Verdict::kContinue : refuse(exchange);
  }

  void on_response_head(Exchange& exchange) const override {
    const Bridge* bridge = bridge_of(exchange);
    if (bridge == nullptr) return;
    const auto type = exchange.response().find(codec::FieldId::kContentType);
    if (!type || !base::starts_with_ignore_case(*type, kPlain)) return;
    std::string web(kWeb);
    if (bridge->text) web += kText;
    exchange.response().set("Content-Type", web + bridge->kind);
    exchange.unsize_response();
  }

  void on_response_data(Exchange& exchange, worker::Slice& data) const override {
    const Bridge* bridge = bridge_of(exchange);
    if (bridge == nullptr || !bridge->text || data.empty()) return;
    data = exchange.context().worker.buffers().copy(base::base64_encode(data.bytes()));
  }

  void on_response_end(Exchange& exchange) const override {
    const Bridge* bridge = bridge_of(exchange);
    if (bridge == nullptr) return;
    const codec::HeadPtr trailers = exchange.take_response_trailers();
    if (trailers == nullptr) return;
    std::string frame = framed(*trailers);
    if (bridge->text) frame = base::base64_encode(frame);
    exchange.add_response_data(exchange.context().worker.buffers().copy(frame));
  }

 private:
  static Verdict refuse(Exchange& exchange) {
    exchange.reply(400, "the body of grpc-web-text is no base64");
    return Verdict::kReplied;
  }

  // Trailers as a frame: flag, length, and lines as HTTP/1 writes them, names in lower case.
  static std::string framed(const codec::Head& trailers) {
    std::string lines;
    trailers.each([&lines](const codec::FieldView& field) {
      lines += base::to_lower(field.name) + ": ";
      lines += field.value;
      lines += "\r\n";
    });
    std::string out(1, kTrailerFrame);
    for (int shift = 24; shift >= 0; shift -= 8) {
      out += static_cast<char>((lines.size() >> static_cast<unsigned>(shift)) & 0xffU);
    }
    return out + lines;
  }

  bool enabled_;
};

}  // namespace

base::Result<exchange::FilterPtr> make_grpc_web(const model::Resource& policy) {
  auto settings = settings_of<features::GrpcWeb>(policy);
  if (!settings.ok()) return std::move(settings).error();
  return exchange::FilterPtr(std::make_shared<GrpcWebFilter>(settings.value().enabled));
}

}  // namespace weir::filters
