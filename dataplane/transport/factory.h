#pragma once

#include <memory>

#include "common/base/fd.h"
#include "dataplane/transport/certificate_table.h"
#include "dataplane/transport/transport.h"
#include "dataplane/transport/upstream_policy.h"
#include "dataplane/worker/worker.h"

namespace weir::transport {

// Makes transports of one worker. worker: borrowed for the transports' lives.

// An accepted plain TCP connection. on_open follows from the loop.
std::unique_ptr<Transport> accept_tcp(worker::Worker& worker, base::UniqueFd fd,
                                      const base::SocketAddress& peer);

// A connection to an upstream: starts connecting at once; on_open or on_closed (kind kTimeout after
// connect_timeout, retryable) follow. Bytes may be written before on_open.
std::unique_ptr<Transport> connect_tcp(worker::Worker& worker, const base::SocketAddress& to,
                                       base::Duration connect_timeout);

// All of OpenSSL for one worker: contexts by certificate (a small LRU, made at first use), tickets,
// options. TLS 1.2 and 1.3, no renegotiation, one ticket, AES-128-GCM and X25519 first, session
// cache off, buffers released while idle, read-ahead over the worker's scratch.
// Its transports may outlast it. worker: borrowed.
class TlsServer {
 public:
  // plain_http_answer: sent as it is to a client that speaks plain HTTP here, before its connection
  // is closed; lives as long as the server. Empty: such a client is closed.
  explicit TlsServer(worker::Worker& worker, std::string_view plain_http_answer = {});
  ~TlsServer();
  // Takes an accepted connection through a TLS handshake. chooser: borrowed until on_open or
  // on_closed. on_open comes when the handshake is done; a handshake longer than `deadline` ends
  // with on_closed (kTimeout).
  std::unique_ptr<Transport> accept(base::UniqueFd fd, const base::SocketAddress& peer,
                                    const CertificateChooser& chooser, base::Duration deadline);
  // How many more newcomers this iteration of the loop has time for. Who accepts no more than that
  // leaves a crowd in the kernel's backlog, where it costs nothing.
  int room_for_newcomers() const;
  std::size_t contexts() const;  // alive in the LRU, for tests and figures
  void trim();                   // frees contexts that served no handshake since the last call
  // Certificates that did not parse or whose key did not match, each counted once while it stays in
  // the LRU.
  std::uint64_t broken_certificates() const;

  struct Impl;  // shared with its transports

 private:
  std::shared_ptr<Impl> impl_;
};

// TLS towards upstreams for one worker: contexts by policy and sessions by endpoint and policy
// (both in bounded LRUs). Its transports may outlast it. worker: borrowed.
class TlsClient {
 public:
  explicit TlsClient(worker::Worker& worker);
  ~TlsClient();
  // Starts connecting at once. on_open comes after the handshake and, where the policy says so, the
  // verification; tls()->alpn then says what was agreed on. What is written before waits, no byte
  // of it leaves earlier. connect_timeout covers both. Failures of connecting and of the handshake
  // end with on_closed, retryable, with a reason for people.
  std::unique_ptr<Transport> connect(const base::SocketAddress& to, base::Duration connect_timeout,
                                     UpstreamPolicyPtr policy);
  std::size_t sessions() const;  // kept for resumption, for tests and figures
  void trim();                   // frees contexts that no connection used since the last call

  struct Impl;  // shared with its transports

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace weir::transport
