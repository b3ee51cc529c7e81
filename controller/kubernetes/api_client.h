#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/base/unique_function.h"
#include "controller/kubernetes/config.h"
#include "controller/kubernetes/curl_multi.h"
#include "controller/kubernetes/source.h"

namespace weir::kubernetes {

struct ApiRequest {
  std::string method = "GET";
  std::string path;  // "/api/v1/namespaces/a/services?limit=1"; already encoded
  std::string body;
  std::string content_type = "application/json";
  std::chrono::milliseconds timeout{30'000};
};

// What an answer said; also of an answer that is an error.
struct ApiHead {
  int status = 0;
  std::optional<std::chrono::milliseconds> retry_after;  // header, at most 5 minutes
};

struct ApiResponse {
  ApiHead head;
  base::Json body;  // the object, or the Status of an error
  bool ok() const { return head.status >= 200 && head.status < 300; }
};

// Text for people: "ingresses.networking.k8s.io "web" is forbidden: …" and what else a Status says.
// The kind is kNotFound for 404, kOverloaded for 429 and 503, kTimeout for 504, else kInvalid.
base::Error status_error(int http_status, const base::Json& status);

// Takes the bytes of a list or watch; the rules are those of HttpTarget.
class StreamTarget {
 public:
  virtual ~StreamTarget() = default;
  virtual void on_status(const ApiHead& head) = 0;
  virtual void on_bytes(std::string_view bytes) = 0;  // of an error answer too
  virtual void on_end(base::Result<void> result) = 0;
};

// A running call; destruction cancels it, and the callback is then never called.
class ApiCall {
 public:
  virtual ~ApiCall() = default;
};

// A running stream; destruction cancels it.
class ApiStream {
 public:
  virtual ~ApiStream() = default;
  // The connection below looks dead: later streams take another one.
  virtual void distrust_connection() = 0;
};

// Requests to one API server, with credentials. No retries here: who calls knows what is safe. One
// loop thread; must outlive its calls and streams.
class ApiClient {
 public:
  using Callback = base::UniqueFunction<void(base::Result<ApiResponse>)>;

  // loop is borrowed. user_agent: "weir-controller/0.1.0". access: with the credentials loaded
  // (load_credentials); those of a plugin are loaded again when they have expired or the server
  // refused them, at most every 30 s, and the loop waits for the plugin.
  ApiClient(loop::Loop& loop, ClusterAccess access, std::string user_agent);
  ~ApiClient();

  // The callback comes once, from the loop, with any status that the server sent; an Error means
  // that there was no complete answer. It may drop the handle.
  [[nodiscard]] std::unique_ptr<ApiCall> call(ApiRequest request, Callback callback);
  [[nodiscard]] std::unique_ptr<ApiStream> stream(ApiRequest request, StreamTarget& target);

  // Merge-patches the status of an object; only if it still has this resourceVersion. 409: read it
  // again.
  [[nodiscard]] std::unique_ptr<ApiCall> patch_status(const KindDescriptor& kind,
                                                      const base::Json& object, base::Json status,
                                                      Callback callback);

  // 401 was received: credentials are read again before the next request.
  void refuse_credentials();
  base::TimePoint last_contact() const { return last_contact_; }
  void note_contact() { last_contact_ = loop_.now(); }
  loop::Loop& loop() { return loop_; }
  const ClusterAccess& access() const { return access_; }
  // Found out by the first watcher and true for all: the server does not serve WatchList.
  bool watch_list_refused = false;

 private:
  class Call;
  class Stream;
  HttpRequest http_request(ApiRequest request);
  void refresh_tls();
  void refresh_credentials();

  loop::Loop& loop_;
  ClusterAccess access_;
  std::string user_agent_;
  BearerToken token_;
  base::TimePoint last_contact_;
  bool credentials_refused_ = false;                  // those of the plugin
  std::optional<base::TimePoint> plugin_started_at_;  // last
  std::optional<base::TimePoint> ca_read_at_;
  std::string ca_pem_;
  CurlConnections connections_;
};

// "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web"; ns empty: all namespaces; name empty:
// the collection.
std::string api_path(const KindDescriptor& kind, std::string_view ns, std::string_view name = {});
// Percent-encodes everything but unreserved bytes (RFC 3986 section 2.3).
std::string url_encode(std::string_view text);

}  // namespace weir::kubernetes
