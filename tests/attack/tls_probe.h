#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/attack/pki.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace weir::attack {

using SessionPtr = std::shared_ptr<ssl_session_st>;

struct ProbeAsk {
  std::uint16_t port = 0;
  std::string sni = {};
  const Identity* certificate = nullptr;    // presented when asked for
  std::vector<const Identity*> links = {};  // sent with it
  SessionPtr session = nullptr;             // to resume
  int version = 0;                          // TLS1_2_VERSION …; 0: any
  std::string alpn = {};                    // as on the wire
  std::string early = {};                   // sent before the handshake (RFC 8446 section 2.3)
};

struct ProbeAnswer {
  int status = 0;  // 0: none came
  std::string head;
  std::string body;
  std::string field(const std::string& name) const;
};

// A client's connection over TLS, blocking, with a bound on every wait. One thread.
class Probe {
 public:
  explicit Probe(const ProbeAsk& ask);
  ~Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  bool open() const { return open_; }  // the handshake is done
  const std::string& error() const { return error_; }
  bool resumed() const;
  bool early_was_taken() const;
  bool was_asked() const { return was_asked_; }  // for a certificate
  std::string alpn() const;
  ssl_st* ssl() { return ssl_; }
  // GET with an answer that has a Content-Length.
  ProbeAnswer get(const std::string& host, const std::string& target = "/",
                  const std::string& more_fields = {});
  // The newest session; tickets come with the first answer.
  SessionPtr session() const;

 private:
  int fd_ = -1;
  ssl_ctx_st* context_ = nullptr;
  ssl_st* ssl_ = nullptr;
  bool open_ = false;
  bool was_asked_ = false;
  std::string error_;
};

}  // namespace weir::attack
