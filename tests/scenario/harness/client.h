#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/scenario/harness/message.h"
#include "tests/scenario/harness/socket.h"

namespace weir::scenario {

struct Request {
  std::string method = "GET";
  std::string target = "/";
  std::string host = "a.test";
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string body = {};
  bool chunked = false;  // the body in one chunk
  std::string to_bytes() const;
};

// How a request ended, seen from the client.
enum class Outcome : std::uint8_t {
  kAnswered,
  kNotConnected,  // refused, or the TLS handshake failed
  kClosedBefore,  // the peer had ended the connection before anything was written: benign
  kLost,          // ended by FIN after the request was written, without a byte of an answer
  kReset,         // the same, by a reset
  kTruncated,     // ended inside of the answer
  kMalformed,     // the answer is no HTTP/1.1
  kTimeout
};
const char* to_string(Outcome outcome);

struct Answer {
  Outcome outcome = Outcome::kAnswered;
  int status = 0;
  Message message;
  std::vector<Message> interim;  // 1xx heads before it
  std::string backend() const { return std::string(message.find("X-Backend")); }
  // Test backends always name themselves, so an answer without a name is the proxy's own.
  bool made_by_proxy() const { return !message.has("X-Backend"); }
  bool says_close() const;
  std::string to_string() const;
};

struct ClientOptions {
  std::uint16_t port = 0;
  bool tls = false;
  std::string sni = {};
  int receive_buffer = 0;
  Millis patience = kPatience;
  std::string address = "127.0.0.1";
};

// A client of one connection at a time that hides nothing: no retry, no reconnect. One thread.
class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(Client&& other) noexcept;
  Client& operator=(Client&&) = delete;

  // Opens the connection, with TLS if asked. False: see errno.
  bool connect();
  void close();
  bool open() const { return fd_.valid(); }
  int fd() const { return fd_.get(); }
  // Has the peer ended the connection, while nothing was asked?
  bool ended_by_peer();

  // Writes the bytes. kAnswered means written.
  Outcome send(std::string_view bytes);
  // Reads one final answer. head: the request was HEAD.
  Answer read(bool head = false);
  // One request on the open connection (opens it when there is none).
  Answer ask(const Request& request);

  // Raw bytes, for tunnels: at least one more, or false at the end or deadline.
  bool read_more(std::string& into);
  // Exactly these many bytes; fewer at the end or deadline.
  std::string read_bytes(std::size_t size);

  // SHA-256 of the server's certificate, hex; empty without TLS.
  std::string certificate() const { return certificate_; }
  std::string& buffer() { return in_; }

 private:
  struct Tls;
  enum class Io : std::uint8_t { kBytes, kEnd, kReset, kTimeout };
  Io read_some(const Deadline& deadline);
  bool handshake();
  Answer failed(Io io, const MessageReader& reader, std::vector<Message> interim) const;

  ClientOptions options_;
  base::UniqueFd fd_;
  std::unique_ptr<Tls> tls_;
  std::string in_;
  std::string certificate_;
};

// One request on a connection of its own.
Answer ask_once(const ClientOptions& options, const Request& request);

}  // namespace weir::scenario
