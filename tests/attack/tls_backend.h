#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/attack/pki.h"

struct ssl_st;
struct ssl_ctx_st;

namespace weir::attack {

// How a backend greets: kTls as one should; kPlainAnswer writes an HTTP answer in clear text as
// soon as a connection comes, and never speaks TLS; kPlainFirst writes it and then takes the
// handshake; kSilent says nothing.
enum class Greeting : std::uint8_t { kTls, kPlainAnswer, kPlainFirst, kSilent };

struct BackendAsk {
  const Identity* certificate = nullptr;
  std::vector<const Identity*> links = {};
  bool wants_certificate = false;  // of its client
  Greeting greeting = Greeting::kTls;
  bool keep_alive = true;
  int version = 0;  // the only one spoken; 0: any
};

// A backend over TLS in a thread of its own, one connection at a time. Answers 200 with the head of
// the request and what it knows of the handshake: lines "sni=", "client=" (its subject's common
// name), "resumed=".
class TlsBackend {
 public:
  explicit TlsBackend(const BackendAsk& ask);
  ~TlsBackend();
  TlsBackend(const TlsBackend&) = delete;
  TlsBackend& operator=(const TlsBackend&) = delete;

  std::uint16_t port() const { return port_; }
  std::size_t accepted() const { return accepted_; }
  std::size_t handshakes() const { return handshakes_; }
  std::size_t requests() const { return requests_; }
  // Everything that came in clear text, of all connections: what TLS would have hidden.
  std::string clear_bytes() const;

 private:
  void run();
  void serve(int fd);
  void serve_tls(int fd);
  void listen_clear(int fd);

  const BackendAsk ask_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  ssl_ctx_st* context_ = nullptr;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> accepted_{0}, handshakes_{0}, requests_{0};
  mutable std::mutex mutex_;
  std::string clear_;
  std::thread thread_;
};

}  // namespace weir::attack
