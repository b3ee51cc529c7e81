#include "dataplane/observe/otlp.h"

#include <charconv>

#include "common/base/authority.h"
#include "common/base/text.h"
#include "dataplane/observe/series.h"

namespace weir::observe {
namespace {

// Protobuf's encoding: varints, and fields of a number and a wire type.
void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

class Message {
 public:
  void bytes(std::uint32_t field, std::string_view value) {
    put_varint(text_, field << 3 | 2);
    put_varint(text_, value.size());
    text_ += value;
  }
  void number(std::uint32_t field, std::uint64_t value) {
    put_varint(text_, field << 3);
    put_varint(text_, value);
  }
  void fixed64(std::uint32_t field, std::uint64_t value) {
    put_varint(text_, field << 3 | 1);
    for (int i = 0; i < 8; ++i) text_ += static_cast<char>(value >> 8 * i);
  }
  void fixed32(std::uint32_t field, std::uint32_t value) {
    put_varint(text_, field << 3 | 5);
    for (int i = 0; i < 4; ++i) text_ += static_cast<char>(value >> 8 * i);
  }
  // KeyValue with an AnyValue; nothing for what is not known.
  void attribute(std::uint32_t field, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    Message any;
    any.bytes(1, value);
    add(field, key, any);
  }
  void attribute(std::uint32_t field, std::string_view key, std::int64_t value) {
    Message any;
    any.number(3, static_cast<std::uint64_t>(value));
    add(field, key, any);
  }
  const std::string& text() const { return text_; }

 private:
  void add(std::uint32_t field, std::string_view key, const Message& any) {
    Message pair;
    pair.bytes(1, key);
    pair.bytes(2, any.text());
    bytes(field, pair.text());
  }
  std::string text_;
};

// Numbers of trace/v1 Span.
enum SpanField : std::uint32_t {
  kTraceId = 1,
  kSpanId = 2,
  kTraceState = 3,
  kParentSpanId = 4,
  kName = 5,
  kKind = 6,
  kStart = 7,
  kEnd = 8,
  kAttributes = 9,
  kStatus = 15,
  kFlags = 16,
};
constexpr std::uint64_t kServer = 2;
constexpr std::uint64_t kClient = 3;
constexpr std::uint64_t kError = 2;     // Status.code
constexpr std::uint32_t kSampled = 1;   // of the flags, the lower eight are W3C's
constexpr std::size_t kSpansField = 2;  // of ScopeSpans

template <std::size_t N>
std::string_view view(const std::array<std::uint8_t, N>& id) {
  return {reinterpret_cast<const char*>(id.data()), N};
}

std::uint64_t wall_nanos(const Trace& trace, base::TimePoint at) {
  const auto wall = trace.started_wall + (at - trace.started);
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(wall.time_since_epoch()).count());
}

struct Address {
  std::string_view host;
  std::int64_t port = 0;  // 0: none is named
};
Address split_port(std::string_view text) {
  Address out{base::without_port(text), 0};
  if (out.host.size() < text.size())
    std::from_chars(out.host.data() + out.host.size() + 1, text.data() + text.size(), out.port);
  return out;
}

void add_address(Message& span, std::string_view name, std::string_view text) {
  const Address address = split_port(text);
  span.attribute(kAttributes, std::string(name) + ".address", address.host);
  if (address.port != 0) span.attribute(kAttributes, std::string(name) + ".port", address.port);
}

Message start_span(const Trace& trace, const SpanId& id, const SpanId& parent) {
  Message span;
  span.bytes(kTraceId, view(trace.trace));
  span.bytes(kSpanId, view(id));
  if (!trace.state.empty()) span.bytes(kTraceState, trace.state);
  if (parent != SpanId{}) span.bytes(kParentSpanId, view(parent));
  span.fixed32(kFlags, kSampled);
  return span;
}

void add_status(Message& span, std::string_view message) {
  Message status;
  if (!message.empty()) status.bytes(2, message);
  status.number(3, kError);
  span.bytes(kStatus, status.text());
}

std::string_view method_of(const ExchangeRecord& record) {
  return method_index(record.method) + 1U == kMethods.size() ? "_OTHER" : record.method;
}

void add_route(Message& span, const model::RouteLabels& route) {
  span.attribute(kAttributes, "http.route", route.path);
  span.attribute(kAttributes, "k8s.namespace.name", route.ns);
  span.attribute(kAttributes, "weir.ingress", route.ingress);
  span.attribute(kAttributes, "weir.service", route.service);
}

// Conventions for HTTP server spans: a status below 500 is no error of the server.
std::string server_span(const Trace& trace, const ExchangeRecord& record, base::TimePoint now) {
  Message span = start_span(trace, trace.span, trace.parent);
  std::string name(method_of(record) == "_OTHER" ? "HTTP" : record.method);
  if (record.route != nullptr) name += " " + record.route->path;
  span.bytes(kName, name);
  span.number(kKind, kServer);
  span.fixed64(kStart, wall_nanos(trace, trace.started));
  span.fixed64(kEnd, wall_nanos(trace, now));
  span.attribute(kAttributes, "http.request.method", method_of(record));
  if (method_of(record) == "_OTHER")
    span.attribute(kAttributes, "http.request.method_original", record.method);
  const std::string_view target = record.target;
  const std::size_t query = target.find('?');
  span.attribute(kAttributes, "url.path", target.substr(0, query));
  span.attribute(kAttributes, "url.scheme", record.tls ? "https" : "http");
  add_address(span, "server", record.host);
  span.attribute(kAttributes, "client.address", record.client);
  span.attribute(kAttributes, "user_agent.original", record.user_agent);
  if (record.protocol.starts_with("HTTP/")) {
    const std::string_view version = record.protocol.substr(5);
    span.attribute(kAttributes, "network.protocol.name", std::string_view("http"));
    span.attribute(kAttributes, "network.protocol.version", version == "2.0" ? "2" : version);
  }
  span.attribute(kAttributes, "http.response.status_code", std::int64_t{record.status});
  span.attribute(kAttributes, "weir.request_id", record.request_id);
  span.attribute(kAttributes, "weir.cluster", record.cluster);
  if (record.route != nullptr) add_route(span, *record.route);
  if (record.status < 500) return span.text();
  span.attribute(kAttributes, "error.type", std::to_string(record.status));
  add_status(span, record.error);
  return span.text();
}

std::string client_span(const Trace& trace, std::size_t at, const ExchangeRecord& record,
                        base::TimePoint now) {
  const TracedAttempt& attempt = trace.attempts[at];
  Message span = start_span(trace, attempt.span, trace.span);
  span.bytes(kName, method_of(record) == "_OTHER" ? "HTTP" : record.method);
  span.number(kKind, kClient);
  span.fixed64(kStart, wall_nanos(trace, attempt.started));
  span.fixed64(kEnd, wall_nanos(trace, attempt.ended == base::TimePoint{} ? now : attempt.ended));
  span.attribute(kAttributes, "http.request.method", method_of(record));
  add_address(span, "server", attempt.endpoint);
  add_address(span, "network.peer", attempt.endpoint);
  const std::string_view path = record.target.substr(0, record.target.find('?'));
  span.attribute(kAttributes, "url.full", "http://" + attempt.endpoint + std::string(path));
  if (at > 0)
    span.attribute(kAttributes, "http.request.resend_count", static_cast<std::int64_t>(at));
  if (attempt.status != 0)
    span.attribute(kAttributes, "http.response.status_code", std::int64_t{attempt.status});
  // For a client 4xx is an error, too.
  if (attempt.status != 0 && attempt.status < 400 && attempt.error.empty()) return span.text();
  span.attribute(kAttributes, "error.type",
                 attempt.status != 0 ? std::to_string(attempt.status) : "no_response");
  add_status(span, attempt.error);
  return span.text();
}

}  // namespace

std::size_t append_spans(const Trace& trace, const ExchangeRecord& record, base::TimePoint now,
                         std::string& out) {
  Message spans;
  spans.bytes(kSpansField, server_span(trace, record, now));
  for (std::size_t i = 0; i < trace.attempts.size(); ++i)
    spans.bytes(kSpansField, client_span(trace, i, record, now));
  out += spans.text();
  return trace.attempts.size() + 1;
}

std::string export_request(std::string_view service, std::string_view instance,
                           std::string_view spans) {
  Message resource;
  resource.attribute(1, "service.name", service);
  resource.attribute(1, "service.instance.id", instance);
  Message scope;
  scope.bytes(1, "weir");
  Message scope_spans;
  scope_spans.bytes(1, scope.text());
  Message resource_spans;
  resource_spans.bytes(1, resource.text());
  resource_spans.bytes(2, scope_spans.text() + std::string(spans));
  Message request;
  request.bytes(1, resource_spans.text());
  return request.text();
}

std::size_t count_spans(std::string_view spans) {
  std::size_t count = 0;
  while (spans.size() > 1) {
    std::size_t size = 0;
    std::size_t at = 1;
    for (unsigned shift = 0; at < spans.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(spans[at++]);
      size |= std::size_t{byte & 0x7fU} << shift;
      if ((byte & 0x80) == 0) break;
    }
    ++count;
    spans.remove_prefix(std::min(spans.size(), at + size));
  }
  return count;
}

}  // namespace weir::observe
