#include "controller/kubernetes/curl_transfer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/base/text.h"

namespace weir::kubernetes {
namespace {

// TLS included. Short enough that after a silent partition the next SYN is never far: those of one
// attempt leave after 0, 1 and 3 s.
constexpr long kConnectTimeoutMs = 5'000;
constexpr long kKeepAliveIdleSeconds = 15;
constexpr long kKeepAliveIntervalSeconds = 5;
constexpr unsigned kUserTimeoutMs = 30'000;

// A peer that vanished without a word is noticed by the kernel: unacknowledged data ends the
// connection after 30 s, and keep-alive probes make sure that there is data.
int on_socket(void*, curl_socket_t fd, curlsocktype) {
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
  return CURL_SOCKOPT_OK;
}

curl_blob blob_of(const std::string& text) {
  return curl_blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
}

// "https://host:port/…" -> "host:port", the port filled in.
std::string authority_of(std::string_view url) {
  const bool tls = url.starts_with("https://");
  url.remove_prefix(url.find("://") + 3);
  std::string out(url.substr(0, url.find_first_of("/?")));
  const std::size_t bracket = out.rfind(']');
  const std::size_t colon = out.rfind(':');
  const bool has_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  return has_port ? out : out + (tls ? ":443" : ":80");
}

}  // namespace

base::Error curl_error(CURLcode code, CURL* transfer, std::string_view url) {
  base::Error error{base::ErrorKind::kClosed, base::Origin::kUpstream, false,
                    authority_of(url) + ": " + curl_easy_strerror(code)};
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
      error.retryable = true;
      break;
    case CURLE_OPERATION_TIMEDOUT: {
      error.kind = base::ErrorKind::kTimeout;
      long sent = 0;
      error.retryable =
          curl_easy_getinfo(transfer, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK && sent == 0;
      break;
    }
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      error.kind = base::ErrorKind::kInvalid;
      error.origin = base::Origin::kConfig;
      break;
    default:
      break;
  }
  return error;
}

CurlConnections::Transfer::Transfer(std::uint64_t id_, HttpRequest request_,
                                    std::shared_ptr<const TlsSettings> tls_, HttpTarget& target_)
    : id(id_), request(std::move(request_)), tls(std::move(tls_)), target(&target_) {}

bool CurlConnections::Transfer::prepare() {
  easy.reset(curl_easy_init());
  if (easy == nullptr) return false;
  CURL* const e = easy.get();
  for (const std::string& header : request.headers)
    header_list.reset(curl_slist_append(header_list.release(), header.c_str()));
  curl_easy_setopt(e, CURLOPT_PRIVATE, this);
  curl_easy_setopt(e, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty()) {
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  curl_easy_setopt(e, CURLOPT_HTTPHEADER, header_list.get());
  curl_easy_setopt(e, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Wait for the group's connection to say by ALPN whether it multiplexes, not a connection per
  // request. Without TLS nothing is said: libcurl would let everybody wait until the first
  // transfer, a watch, ends.
  curl_easy_setopt(e, CURLOPT_PIPEWAIT, request.url.starts_with("https://") ? 1L : 0L);
  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(e, CURLOPT_PROXY, "");
  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, &on_socket);
  curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(e, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(e, CURLOPT_WRITEDATA, this);
  return prepare_tls();
}

bool CurlConnections::Transfer::prepare_tls() {
  CURL* const e = easy.get();
  curl_easy_setopt(e, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (tls->insecure) {
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  // The blobs are borrowed from tls, which lives as long as the handle.
  const auto give = [e](CURLoption option, const std::string& text) {
    curl_blob blob = blob_of(text);
    return text.empty() || curl_easy_setopt(e, option, &blob) == CURLE_OK;
  };
  if (!give(CURLOPT_CAINFO_BLOB, tls->ca_pem)) return false;
  if (!give(CURLOPT_SSLCERT_BLOB, tls->client_cert_pem)) return false;
  if (!give(CURLOPT_SSLKEY_BLOB, tls->client_key_pem)) return false;
  if (tls->server_name.empty()) return true;
  // SNI and the check follow the URL's host, so the name goes there and the address is connected
  // to.
  const std::string authority = authority_of(request.url);
  const std::string port = authority.substr(authority.rfind(':') + 1);
  const std::string path =
      request.url.substr(std::min(request.url.find('/', 8), request.url.size()));
  const std::string url = "https://" + tls->server_name + ":" + port + path;
  connect_to.reset(
      curl_slist_append(nullptr, (tls->server_name + ":" + port + ":" + authority).c_str()));
  curl_easy_setopt(e, CURLOPT_CONNECT_TO, connect_to.get());
  return curl_easy_setopt(e, CURLOPT_URL, url.c_str()) == CURLE_OK;
}

std::size_t CurlConnections::Transfer::on_header(char* data, std::size_t size, std::size_t count,
                                                 void* user) {
  auto& self = *static_cast<Transfer*>(user);
  const std::string_view line = base::trim({data, size * count});
  if (line.starts_with("HTTP/")) {
    self.headers.clear();  // the one before was an interim answer
    self.head_complete = false;
    return size * count;
  }
  if (line.empty()) {
    long code = 0;
    curl_easy_getinfo(self.easy.get(), CURLINFO_RESPONSE_CODE, &code);
    self.status = static_cast<int>(code);
    self.head_complete = code >= 200;
    return size * count;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && self.headers.size() < 100)
    self.headers.emplace_back(base::to_lower(line.substr(0, colon)),
                              base::trim(line.substr(colon + 1)));
  return size * count;
}

std::size_t CurlConnections::Transfer::on_body(char* data, std::size_t size, std::size_t count,
                                               void* user) {
  static_cast<Transfer*>(user)->inbox.append(data, size * count);
  return size * count;
}

// Each call may cancel this transfer (target becomes null); the owner keeps it alive meanwhile.
void CurlConnections::Transfer::deliver() {
  if (target != nullptr && head_complete && !head_told) {
    head_told = true;
    target->on_head(status, headers);
  }
  if (target != nullptr && head_told && !inbox.empty()) {
    const std::string bytes = std::exchange(inbox, {});
    target->on_bytes(bytes);
  }
  if (target != nullptr && ended) std::exchange(target, nullptr)->on_end(std::move(*ended));
}

}  // namespace weir::kubernetes
