#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/fd.h"
#include "tests/push/dataplane.h"

namespace weir::push {

// How a client reaches a listener.
struct Door {
  std::uint16_t port = 0;
  std::string address = "127.0.0.1";  // or "::1"
  bool tls = false;
  std::string sni = {};
  int receive_buffer = 0;  // SO_RCVBUF; 0: the system's
};

struct Answer {
  int status = 0;    // 0: the connection ended without a whole answer
  std::string head;  // from status line to the empty line
  std::string body;
  std::string field(const std::string& name) const;
  std::string server() const { return field("X-Backend"); }
};

// A TLS session to resume, kept over connections.
class TlsSession {
 public:
  TlsSession();
  ~TlsSession();
  struct Parts;
  std::unique_ptr<Parts> parts;
};

// One client connection that hides nothing: no retry, no reconnect. One thread.
class Client {
 public:
  // Connects and, if asked, ends the TLS handshake; is_open() is false when either fails. session:
  // offered, and replaced by the newest ticket; null: none.
  explicit Client(const Door& door, TlsSession* session = nullptr);
  ~Client();
  Client(Client&&) noexcept;

  bool is_open() const { return fd_.valid(); }
  bool resumed() const;
  std::string certificate() const;  // SHA-256 of the server's leaf, hex

  void send(std::string_view bytes);
  // No more bytes from us. Plain TCP only.
  void finish_sending();
  // Ends the connection at once, by a reset.
  void reset();
  // One final answer; interim ones are passed over. head: HEAD was asked.
  Answer read(bool head = false, Millis most = kPatience);
  // A request without a body, and its answer.
  Answer get(const std::string& target, const std::string& host,
             const std::string& more_fields = {});
  // True when the peer ends the connection in time; what came before is thrown away.
  bool ends(Millis most = kPatience);
  // Bytes that came behind the last answer.
  const std::string& rest() const { return in_; }

 private:
  struct Tls;
  // False at the end, after `most`, or on an error.
  bool read_more(Clock::time_point until);
  bool read_chunks(std::string& body, Clock::time_point until);

  base::UniqueFd fd_;
  std::unique_ptr<Tls> tls_;
  std::string in_;
  bool over_ = false;
};

// One GET on a connection of its own.
Answer get(const Door& door, const std::string& target, const std::string& host,
           const std::string& more_fields = {});

}  // namespace weir::push
