#include "weirctl/metrics_fetch.h"

#include <httplib.h>

#include "common/base/text.h"
#include "controller/ingress/config.h"
#include "controller/kubernetes/api_client.h"
#include "weirctl/sources.h"

namespace weir::weirctl {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::size_t kMost = 256 * 1024 * 1024;

base::Error failed(base::ErrorKind kind, const std::string& text) {
  return {kind, base::Origin::kUpstream, false, text};
}

class UrlMetrics final : public MetricsFetch {
 public:
  UrlMetrics(std::string url, base::Duration patience) : url_(std::move(url)), client_(url_) {
    client_.set_connection_timeout(patience);
    client_.set_read_timeout(patience);
  }
  base::Result<std::string> fetch() override {
    auto answer = client_.Get("/metrics");
    if (!answer)
      return failed(base::ErrorKind::kClosed,
                    url_ + "/metrics: " + httplib::to_string(answer.error()) +
                        "; --admin names the dataplane's admin port, --pod a pod");
    if (answer->status != 200)
      return failed(base::ErrorKind::kProtocol,
                    url_ + "/metrics: status " + std::to_string(answer->status));
    return std::move(answer->body);
  }

 private:
  const std::string url_;
  httplib::Client client_;
};

class PodMetrics final : public MetricsFetch, private kubernetes::StreamTarget {
 public:
  PodMetrics(kubernetes::ClusterAccess access, std::string path, base::Duration patience)
      : client_(loop_, std::move(access), "weirctl/0.1.0"),
        path_(std::move(path)),
        patience_(patience) {}

  base::Result<std::string> fetch() override {
    body_.clear();
    status_ = 0;
    ended_.reset();
    kubernetes::ApiRequest request;
    request.path = path_;
    const auto stream = client_.stream(std::move(request), *this);
    const base::TimePoint end = loop_.clock().now() + patience_;
    while (!ended_ && loop_.clock().now() < end) loop_.run_once(std::chrono::milliseconds(100));
    if (!ended_) return failed(base::ErrorKind::kTimeout, path_ + ": no answer in time");
    if (!ended_->ok()) return ended_->error();
    if (status_ == 200) return body_;
    const auto json = base::Json::parse(body_);
    const base::Json status = json.ok() ? json.value() : base::Json();
    return kubernetes::status_error(status_, status).within(path_);
  }

 private:
  void on_status(const kubernetes::ApiHead& head) override { status_ = head.status; }
  void on_bytes(std::string_view bytes) override {
    if (body_.size() + bytes.size() <= kMost) body_.append(bytes);
  }
  void on_end(base::Result<void> result) override { ended_.emplace(std::move(result)); }

  loop::Loop loop_;
  kubernetes::ApiClient client_;
  const std::string path_;
  const base::Duration patience_;
  int status_ = 0;
  std::string body_;
  std::optional<base::Result<void>> ended_;
};

}  // namespace

base::Result<std::unique_ptr<MetricsFetch>> metrics_of_url(const std::string& url,
                                                           base::Duration patience) {
  std::string base = url;
  while (base.ends_with('/')) base.pop_back();
  if (!base.starts_with(kScheme) || base.find('/', kScheme.size()) != std::string::npos ||
      base.size() == kScheme.size())
    return base::invalid("--admin '" + url + "': accepted: http://HOST:PORT");
  return std::unique_ptr<MetricsFetch>(std::make_unique<UrlMetrics>(base, patience));
}

base::Result<std::unique_ptr<MetricsFetch>> metrics_of_pod(const std::string& pod,
                                                           const std::string& kubeconfig,
                                                           const std::string& context,
                                                           base::Duration patience) {
  const ingress::NamePair name = ingress::split_name(pod);
  const std::size_t colon = name.name.find(':');
  const auto port = colon == std::string::npos ? std::optional<std::uint64_t>(10'254)
                                               : base::parse_uint(name.name.substr(colon + 1));
  if (name.ns.empty() || name.name.empty() || colon == 0 || !port || *port < 1 || *port > 65'535)
    return base::invalid("--pod '" + pod + "': accepted: NAMESPACE/NAME or NAMESPACE/NAME:PORT");
  auto access = user_access(kubeconfig, context);
  if (!access.ok()) return std::move(access).error();
  const std::string path = "/api/v1/namespaces/" + kubernetes::url_encode(name.ns) + "/pods/" +
                           kubernetes::url_encode(name.name.substr(0, colon)) + ":" +
                           std::to_string(*port) + "/proxy/metrics";
  return std::unique_ptr<MetricsFetch>(
      std::make_unique<PodMetrics>(std::move(access).value(), path, patience));
}

}  // namespace weir::weirctl
