#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "common/base/fd.h"

namespace weir::e2e {

struct Answer {
  int status = 0;                             // 0: no answer
  std::map<std::string, std::string> fields;  // names in lower case; the last of a name
  std::string body;
  std::string certificate;  // fingerprint of the server's leaf, with TLS
  // Test backends name themselves.
  std::string backend() const {
    const auto found = fields.find("x-backend");
    return found == fields.end() ? "" : found->second;
  }
};

struct Request {
  std::string host;
  std::string target = "/";
  std::string method = "GET";
  std::string fields = {};  // further lines, each with CRLF
};

// One HTTP/1.1 connection to a port of 127.0.0.1, with TLS when sni is not empty ("-": TLS without
// a name). trust, PEM: the server must prove the name sni to who trusts only that; without it any
// certificate will do. No retry: an answer of status 0 means that the request was not answered. One
// thread.
class Client {
 public:
  explicit Client(std::uint16_t port, std::string sni = {}, std::string trust = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Answer ask(const Request& request);

 private:
  struct Tls;
  bool connect();
  bool shake_hands();
  long read(char* into, std::size_t size);
  bool write(const std::string& bytes);
  bool read_until(std::size_t size);

  const std::uint16_t port_;
  const std::string sni_;
  const std::string trust_;
  base::UniqueFd fd_;
  std::unique_ptr<Tls> tls_;
  std::string in_;
};

// One request on a connection of its own.
Answer ask(std::uint16_t port, const Request& request);
// The fingerprint of the certificate that is served for a name.
std::string served_certificate(std::uint16_t port, const std::string& sni);

}  // namespace weir::e2e
