#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/clock.h"
#include "common/model/route.h"
#include "dataplane/observe/streams.h"

namespace weir::observe {

// What is known of one exchange when it is over. Views live for the call to Recorder::record only.
struct ExchangeRecord {
  base::TimePoint started;
  base::Duration request_time{};  // first byte of the head to the last byte handed to the kernel
  base::Duration upstream_connect{};  // of the last attempt
  base::Duration upstream_header{};   // attempt start to response head
  base::Duration upstream_time{};     // attempt start to response end
  int status = 0;                     // 499: the client left
  int upstream_status = 0;            // 0: none
  std::uint64_t request_bytes = 0;    // head and body as received
  std::uint64_t response_body_bytes = 0;
  std::uint64_t response_bytes = 0;  // head and body
  std::string_view method;
  std::string_view host;
  std::string_view target;
  std::string_view protocol;  // "HTTP/1.1"; "TCP", "TLS" or "UDP" of what is passed on as it is
  std::string_view listener;  // only of the latter
  std::string_view client;    // address without port
  std::string_view user;      // of basic authentication
  std::string_view referer;
  std::string_view user_agent;
  std::string_view request_id;
  std::string_view upstream;  // "10.0.0.7:8080"; empty: none was tried
  std::string_view cluster;
  std::string_view error;  // why Weir answered itself; empty otherwise
  std::uint32_t attempts = 0;
  bool tls = false;
  std::uint32_t labels = 0;                   // id from Labels::intern
  const model::RouteLabels* route = nullptr;  // null: no route matched
};

// Takes finished exchanges of one worker: counts, histograms, and the access log's ring. Never
// blocks, allocates nothing in the steady state.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void record(const ExchangeRecord& record) = 0;
  // A record of these is near: its numbers may be fetched from memory meanwhile. Costs nothing to
  // leave out.
  virtual void expect(std::uint32_t /*labels*/, int /*status*/, std::string_view /*method*/) {}
  // One connection or flow that was passed on below HTTP, once it is over: only for the log.
  virtual void record_stream(const ExchangeRecord&) {}
  // Where the streams of this listener count; lives as long as the recorder.
  StreamCounters& stream(std::string_view listener) { return streams_.at(listener); }
  virtual void connection_opened(bool tls) = 0;
  virtual void connection_closed() = 0;
  // The connection moved between these states of nginx_process_connections. It opens as kWaiting,
  // and whoever closes it moves it back to kWaiting before connection_closed().
  enum class ConnectionState : std::uint8_t { kReading, kWriting, kWaiting };
  virtual void connection_state(ConnectionState from, ConnectionState to) = 0;
  // A client was turned away at accept: a cap was reached, or no file descriptor was left.
  virtual void connection_refused() {}
  virtual void set_access_log(bool on) = 0;

 protected:
  StreamTable streams_;
};

}  // namespace weir::observe
