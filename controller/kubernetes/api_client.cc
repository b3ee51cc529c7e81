#include "controller/kubernetes/api_client.h"

#include <fstream>
#include <sstream>

#include "common/base/log.h"
#include "common/base/text.h"

namespace weir::kubernetes {
namespace {

using base::Json;

constexpr std::chrono::minutes kLongestRetryAfter{5};
constexpr std::chrono::seconds kCaAge{60};
constexpr std::chrono::seconds kPluginRest{30};
constexpr std::size_t kMaxCallBody = 32 * 1024 * 1024;

ApiHead head_of(int status, const std::vector<std::pair<std::string, std::string>>& headers) {
  ApiHead out;
  out.status = status;
  for (const auto& [name, value] : headers) {
    // Kubernetes always sends seconds, never a date.
    if (name != "retry-after") continue;
    if (const auto seconds = base::parse_uint(value))
      out.retry_after = std::min<std::chrono::milliseconds>(
          std::chrono::seconds(std::min<std::uint64_t>(*seconds, 86'400)), kLongestRetryAfter);
  }
  return out;
}

base::ErrorKind kind_of(int status) {
  switch (status) {
    case 404:
      return base::ErrorKind::kNotFound;
    case 429:
    case 503:
      return base::ErrorKind::kOverloaded;
    case 504:
      return base::ErrorKind::kTimeout;
    default:
      return base::ErrorKind::kInvalid;
  }
}

}  // namespace

base::Error status_error(int http_status, const Json& status) {
  std::string text = status["message"].as_string();
  const Json& details = status["details"];
  if (text.empty()) {
    text = "the API server answered " + std::to_string(http_status);
    if (!details["kind"].as_string().empty())
      text += " for " + details["kind"].as_string() + " " + details["name"].as_string();
  }
  if (!status["reason"].as_string().empty()) text += " (" + status["reason"].as_string() + ")";
  return base::Error{kind_of(http_status), base::Origin::kUpstream, false, std::move(text)};
}

class ApiClient::Call final : public ApiCall, public HttpTarget {
 public:
  Call(ApiClient& client, Callback callback) : client_(client), callback_(std::move(callback)) {}
  void start(HttpRequest request) {
    transfer_ = client_.connections_.start(std::move(request), CurlConnections::Use::kCall, *this);
  }
  void on_head(int status,
               const std::vector<std::pair<std::string, std::string>>& headers) override {
    client_.note_contact();
    response_.head = head_of(status, headers);
  }
  void on_bytes(std::string_view bytes) override {
    if (body_.size() + bytes.size() <= kMaxCallBody) body_.append(bytes);
  }
  void on_end(base::Result<void> result) override {
    transfer_ = HttpTransfer();
    // The callback may destroy this object.
    Callback callback = std::move(callback_);
    if (!result) return callback(std::move(result).error());
    auto body = Json::parse(body_);
    if (!body && response_.ok())
      return callback(base::Error{base::ErrorKind::kProtocol, base::Origin::kUpstream, false,
                                  "answer of the API server: " + body.error().text});
    // An error may come as plain text: "404 page not found".
    if (body) {
      response_.body = std::move(body).value();
    } else {
      response_.body.set("message", Json(base::trim(body_)));
    }
    callback(std::move(response_));
  }

 private:
  ApiClient& client_;
  Callback callback_;
  ApiResponse response_;
  std::string body_;
  HttpTransfer transfer_;
};

class ApiClient::Stream final : public ApiStream, public HttpTarget {
 public:
  Stream(ApiClient& client, StreamTarget& target) : client_(client), target_(target) {}
  void start(HttpRequest request) {
    transfer_ =
        client_.connections_.start(std::move(request), CurlConnections::Use::kStream, *this);
  }
  void distrust_connection() override { transfer_.distrust_connection(); }
  void on_head(int status,
               const std::vector<std::pair<std::string, std::string>>& headers) override {
    client_.note_contact();
    target_.on_status(head_of(status, headers));
  }
  void on_bytes(std::string_view bytes) override {
    client_.note_contact();
    target_.on_bytes(bytes);
  }
  void on_end(base::Result<void> result) override {
    transfer_ = HttpTransfer();
    target_.on_end(std::move(result));
  }

 private:
  ApiClient& client_;
  StreamTarget& target_;
  HttpTransfer transfer_;
};

ApiClient::ApiClient(loop::Loop& loop, ClusterAccess access, std::string user_agent)
    : loop_(loop),
      access_(std::move(access)),
      user_agent_(std::move(user_agent)),
      token_(access_.token, access_.token_file),
      last_contact_(loop.now()),
      ca_pem_(access_.ca_pem),
      connections_(loop) {}

ApiClient::~ApiClient() = default;

// The CA bundle may rotate as the token does; connections that exist keep what they were made with.
void ApiClient::refresh_tls() {
  if (ca_read_at_ && (access_.ca_file.empty() || loop_.now() - *ca_read_at_ < kCaAge)) return;
  const bool first = !ca_read_at_.has_value();
  ca_read_at_ = loop_.now();
  std::string pem = ca_pem_;
  if (!access_.ca_file.empty()) {
    std::ifstream file(access_.ca_file, std::ios::binary);
    std::ostringstream text;
    if (file && (text << file.rdbuf())) pem = text.str();
  }
  if (pem == ca_pem_ && !first) return;
  ca_pem_ = pem;
  TlsSettings tls;
  tls.ca_pem = std::move(pem);
  tls.client_cert_pem = access_.client_cert_pem;
  tls.client_key_pem = access_.client_key_pem;
  tls.server_name = access_.tls_server_name;
  tls.insecure = access_.insecure;
  connections_.set_tls(std::move(tls));
}

void ApiClient::refresh_credentials() {
  if (!access_.exec) return;
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(loop_.clock().wall_now().time_since_epoch());
  const bool expired = access_.expires && *access_.expires <= now.count();
  if (!expired && !credentials_refused_) return;
  if (plugin_started_at_ && loop_.now() - *plugin_started_at_ < kPluginRest) return;
  plugin_started_at_ = loop_.now();
  if (auto loaded = load_credentials(access_); !loaded.ok()) {
    base::log_warn("no new credentials", {{"reason", loaded.error().text}});
    return;
  }
  credentials_refused_ = false;
  token_ = BearerToken(access_.token, access_.token_file);
  ca_read_at_.reset();  // the client certificate may be another
}

HttpRequest ApiClient::http_request(ApiRequest request) {
  refresh_credentials();
  refresh_tls();
  HttpRequest out;
  out.method = std::move(request.method);
  out.url = access_.server + request.path;
  out.headers = {"Accept: application/json", "User-Agent: " + user_agent_, "Expect:"};
  const std::string& token = token_.get(loop_.now());
  if (!token.empty()) out.headers.push_back("Authorization: Bearer " + token);
  if (!request.body.empty()) out.headers.push_back("Content-Type: " + request.content_type);
  out.body = std::move(request.body);
  out.timeout = request.timeout;
  return out;
}

std::unique_ptr<ApiCall> ApiClient::call(ApiRequest request, Callback callback) {
  auto call = std::make_unique<Call>(*this, std::move(callback));
  call->start(http_request(std::move(request)));
  return call;
}

std::unique_ptr<ApiStream> ApiClient::stream(ApiRequest request, StreamTarget& target) {
  auto stream = std::make_unique<Stream>(*this, target);
  request.timeout = std::chrono::milliseconds(0);
  stream->start(http_request(std::move(request)));
  return stream;
}

std::unique_ptr<ApiCall> ApiClient::patch_status(const KindDescriptor& kind, const Json& object,
                                                 Json status, Callback callback) {
  const Json& metadata = object["metadata"];
  Json patch = Json::object();
  patch.set("metadata", Json::object()).set("resourceVersion", metadata["resourceVersion"]);
  patch.set("status", std::move(status));
  ApiRequest request;
  request.method = "PATCH";
  request.path =
      api_path(kind, metadata["namespace"].as_string(), metadata["name"].as_string()) + "/status";
  request.content_type = "application/merge-patch+json";
  request.body = patch.to_string();
  return call(std::move(request), std::move(callback));
}

void ApiClient::refuse_credentials() {
  token_.refuse();
  credentials_refused_ = true;
  ca_read_at_ = ca_read_at_ ? std::optional(loop_.now() - kCaAge) : std::nullopt;
}

std::string url_encode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string api_path(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  std::string out = kind.group.empty() ? "/api/" : "/apis/" + std::string(kind.group) + "/";
  out += kind.version;
  if (kind.namespaced && !ns.empty()) out += "/namespaces/" + url_encode(ns);
  out += "/" + std::string(kind.plural);
  if (!name.empty()) out += "/" + url_encode(name);
  return out;
}

}  // namespace weir::kubernetes
