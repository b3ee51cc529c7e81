#include "controller/peers/secret_writer.h"

#include <utility>

#include "common/base/log.h"
#include "common/base/text.h"

namespace weir::peers {
namespace {

constexpr base::Duration kLook = std::chrono::seconds(1);
constexpr base::Duration kAfterRefusal = std::chrono::seconds(30);
constexpr int kConflict = 409;
constexpr int kUnauthorized = 401;

}  // namespace

SecretWriter::SecretWriter(kubernetes::ApiClient& client, Place place, const store::Store& store,
                           Due due, base::UniqueFunction<bool()> may_write)
    : client_(client),
      place_(std::move(place)),
      store_(store),
      due_(std::move(due)),
      may_write_(std::move(may_write)),
      timer_(client.loop().timers(), [this] { look(); }) {
  timer_.arm(client_.loop().clock().now());
}

void SecretWriter::look() {
  timer_.arm(client_.loop().now() + kLook);
  if (!may_write_()) return;
  const auto object = store_.get({store::Kind::kSecret, place_.ns, place_.name});
  if (object == nullptr) return;  // who reads it says so
  const auto& secret = static_cast<const store::Secret&>(*object);
  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                               client_.loop().clock().wall_now().time_since_epoch())
                               .count();
  const auto field = secret.data.find(place_.field);
  const auto text = due_(field == secret.data.end() ? std::string() : field->second, now);
  if (text.has_value()) write(secret, *text);
}

void SecretWriter::write(const store::Secret& secret, const std::string& text) {
  timer_.cancel();  // the answer arms it
  base::Json patch = base::Json::object();
  patch.set("metadata", base::Json::object()).set("resourceVersion", secret.resource_version);
  patch.set("data", base::Json::object()).set(place_.field, base::base64_encode(text));
  kubernetes::ApiRequest request;
  request.method = "PATCH";
  request.path = api_path(store::row(store::Kind::kSecret).descriptor, place_.ns, place_.name);
  request.content_type = "application/merge-patch+json";
  request.body = patch.to_string();
  call_ = client_.call(
      std::move(request),
      [this](const base::Result<kubernetes::ApiResponse>& answer) { written(answer); });
}

void SecretWriter::written(const base::Result<kubernetes::ApiResponse>& answer) {
  timer_.arm(client_.loop().now() + kLook);
  if (!answer.ok()) return refused(answer.error().text);
  const kubernetes::ApiResponse& response = answer.value();
  if (response.head.status == kConflict) return;  // the newer one is on its way to the store
  if (response.head.status == kUnauthorized) client_.refuse_credentials();
  if (!response.ok())
    return refused(kubernetes::status_error(response.head.status, response.body).text);
  told_.clear();
  base::log_info("shared secret written",
                 {{"what", place_.what}, {"secret", place_.ns + "/" + place_.name}});
}

void SecretWriter::refused(const std::string& reason) {
  timer_.arm(client_.loop().now() + kAfterRefusal);
  if (reason == told_) return;
  told_ = reason;
  base::log_warn(
      "shared secret not written",
      {{"what", place_.what}, {"secret", place_.ns + "/" + place_.name}, {"reason", reason}});
}

}  // namespace weir::peers
