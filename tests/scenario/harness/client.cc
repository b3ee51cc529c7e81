#include "tests/scenario/harness/client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "common/base/text.h"
#include "common/crypto/digest.h"

namespace weir::scenario {
namespace {

SSL_CTX* client_context() {
  static SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  return context;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace

struct Client::Tls {
  ~Tls() { SSL_free(ssl); }
  SSL* ssl = nullptr;
};

std::string Request::to_bytes() const {
  std::string out = method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n";
  for (const auto& [name, value] : fields) out += name + ": " + value + "\r\n";
  if (chunked) {
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", body.size());
    out += "Transfer-Encoding: chunked\r\n\r\n";
    if (!body.empty()) out += size.data() + body + "\r\n";
    return out + "0\r\n\r\n";
  }
  if (!body.empty() || method == "POST" || method == "PUT") {
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return out + "\r\n" + body;
}

const char* to_string(Outcome outcome) {
  constexpr std::array<const char*, 8> kNames = {"answered",  "not connected", "closed before",
                                                 "lost",      "reset",         "truncated",
                                                 "malformed", "timeout"};
  return kNames[static_cast<std::size_t>(outcome)];
}

bool Answer::says_close() const {
  for (const auto& [name, value] : message.fields) {
    if (base::equals_ignore_case(name, "Connection") && base::equals_ignore_case(value, "close")) {
      return true;
    }
  }
  return false;
}

std::string Answer::to_string() const {
  return std::string(scenario::to_string(outcome)) + "\n" + format_fields(message) + "\n" +
         message.body.substr(0, 300);
}

Client::Client(ClientOptions options) : options_(std::move(options)) {}
Client::~Client() { close(); }
Client::Client(Client&& other) noexcept = default;

bool Client::connect() {
  close();
  fd_ = connect_to(options_.port, Deadline(options_.patience), options_.receive_buffer,
                   options_.address);
  if (!fd_.valid()) return false;
  if (!options_.tls || handshake()) return true;
  close();
  return false;
}

void Client::close() {
  tls_.reset();
  fd_.reset();
  in_.clear();
}

bool Client::handshake() {
  const Deadline deadline(options_.patience);
  tls_ = std::make_unique<Tls>();
  tls_->ssl = SSL_new(client_context());
  SSL_set_fd(tls_->ssl, fd_.get());
  if (!options_.sni.empty()) SSL_set_tlsext_host_name(tls_->ssl, options_.sni.c_str());
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(tls_->ssl);
    if (result == 1) break;
    const int want = SSL_get_error(tls_->ssl, result);
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) return false;
    if (!wait_for(fd_.get(), want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) {
      return false;
    }
  }
  unsigned char* der = nullptr;
  X509* peer = SSL_get1_peer_certificate(tls_->ssl);
  const int size = i2d_X509(peer, &der);
  certificate_ = hex(crypto::sha256(
      {reinterpret_cast<const char*>(der), static_cast<std::size_t>(std::max(size, 0))}));
  OPENSSL_free(der);
  X509_free(peer);
  return true;
}

Client::Io Client::read_some(const Deadline& deadline) {
  std::array<char, 65'536> chunk;
  for (;;) {
    ssize_t got = 0;
    bool again = false;
    if (tls_ != nullptr) {
      ERR_clear_error();
      errno = 0;
      got = SSL_read(tls_->ssl, chunk.data(), static_cast<int>(chunk.size()));
      const int why = got > 0 ? SSL_ERROR_NONE : SSL_get_error(tls_->ssl, static_cast<int>(got));
      again = why == SSL_ERROR_WANT_READ;
      if (!again && got <= 0) return errno == ECONNRESET ? Io::kReset : Io::kEnd;
    } else {
      got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
      again = got < 0 && (errno == EAGAIN || errno == EINTR);
      if (!again && got <= 0) return got == 0 ? Io::kEnd : Io::kReset;
    }
    if (got > 0) {
      in_.append(chunk.data(), static_cast<std::size_t>(got));
      return Io::kBytes;
    }
    if (!wait_for(fd_.get(), POLLIN, deadline)) return Io::kTimeout;
  }
}

bool Client::ended_by_peer() {
  if (!fd_.valid()) return false;
  const Io io = read_some(Deadline(Millis(0)));
  return io == Io::kEnd || io == Io::kReset;
}

Outcome Client::send(std::string_view bytes) {
  const Deadline deadline(options_.patience);
  while (!bytes.empty()) {
    ssize_t put = 0;
    bool again = false;
    if (tls_ != nullptr) {
      ERR_clear_error();
      put = SSL_write(tls_->ssl, bytes.data(),
                      static_cast<int>(std::min<std::size_t>(bytes.size(), 16'384)));
      again = put <= 0 && SSL_get_error(tls_->ssl, static_cast<int>(put)) == SSL_ERROR_WANT_WRITE;
    } else {
      put = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      again = put < 0 && (errno == EAGAIN || errno == EINTR);
    }
    if (put > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (!again) {
      return Outcome::kReset;
    } else if (!wait_for(fd_.get(), POLLOUT, deadline)) {
      return Outcome::kTimeout;
    }
  }
  return Outcome::kAnswered;
}

Answer Client::failed(Io io, const MessageReader& reader, std::vector<Message> interim) const {
  Answer answer;
  answer.interim = std::move(interim);
  answer.message = reader.message();
  const bool began = reader.head_complete() || !in_.empty();
  answer.outcome = io == Io::kTimeout ? Outcome::kTimeout
                   : began            ? Outcome::kTruncated
                   : io == Io::kReset ? Outcome::kReset
                                      : Outcome::kLost;
  return answer;
}

Answer Client::read(bool head) {
  const Deadline deadline(options_.patience);
  MessageReader reader(MessageReader::Kind::kResponse);
  std::vector<Message> interim;
  if (head) reader.expect_no_body();
  for (;;) {
    MessageReader::State state = reader.feed(in_);
    if (state == MessageReader::State::kDone && reader.message().status() < 200 &&
        reader.message().status() != 101) {
      interim.push_back(reader.take());
      if (head) reader.expect_no_body();
      continue;
    }
    if (state == MessageReader::State::kHead || state == MessageReader::State::kBody) {
      const Io io = read_some(deadline);
      if (io == Io::kBytes) continue;
      const bool complete = io == Io::kEnd && reader.ends_complete();
      if (!complete) return failed(io, reader, std::move(interim));
      state = MessageReader::State::kDone;
    }
    Answer answer;
    answer.interim = std::move(interim);
    answer.status = reader.message().status();
    if (state == MessageReader::State::kBad) answer.outcome = Outcome::kMalformed;
    answer.message = reader.take();
    return answer;
  }
}

Answer Client::ask(const Request& request) {
  Answer answer;
  if (!open() && !connect()) {
    answer.outcome = Outcome::kNotConnected;
    return answer;
  }
  if (ended_by_peer()) {
    answer.outcome = Outcome::kClosedBefore;
    return answer;
  }
  // An answer may come although not all was taken, so the outcome of sending is not the last word.
  const Outcome sent = send(request.to_bytes());
  answer = read(request.method == "HEAD");
  if (answer.outcome == Outcome::kLost && sent == Outcome::kReset) answer.outcome = sent;
  return answer;
}

bool Client::read_more(std::string& into) {
  if (in_.empty() && read_some(Deadline(options_.patience)) != Io::kBytes) return false;
  into += std::exchange(in_, {});
  return true;
}

std::string Client::read_bytes(std::size_t size) {
  while (in_.size() < size && read_some(Deadline(options_.patience)) == Io::kBytes) {
  }
  std::string out = in_.substr(0, size);
  in_.erase(0, out.size());
  return out;
}

Answer ask_once(const ClientOptions& options, const Request& request) {
  Client client(options);
  return client.ask(request);
}

}  // namespace weir::scenario
