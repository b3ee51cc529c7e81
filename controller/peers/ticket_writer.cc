#include "controller/peers/ticket_writer.h"

#include <utility>

#include "common/base/log.h"
#include "common/base/text.h"

namespace weir::peers {
namespace {

constexpr base::Duration kLook = std::chrono::seconds(1);
constexpr base::Duration kAfterRefusal = std::chrono::seconds(30);
constexpr int kConflict = 409;
constexpr int kUnauthorized = 401;

// What stands in the Secret; empty where there is nothing that can be used.
ingress::TicketRing ring_of(const store::Secret& secret) {
  const auto field = secret.data.find(std::string(ingress::kTicketField));
  if (field == secret.data.end()) return {};
  auto ring = ingress::parse_ticket_ring(field->second);
  return ring.ok() ? std::move(ring).value() : ingress::TicketRing{};
}

std::string patch_text(const store::Secret& secret, const ingress::TicketRing& ring) {
  base::Json patch = base::Json::object();
  patch.set("metadata", base::Json::object()).set("resourceVersion", secret.resource_version);
  patch.set("data", base::Json::object())
      .set(std::string(ingress::kTicketField), base::base64_encode(ingress::to_text(ring)));
  return patch.to_string();
}

}  // namespace

TicketWriter::TicketWriter(kubernetes::ApiClient& client, Place place, const store::Store& store,
                           base::UniqueFunction<bool()> may_write)
    : client_(client),
      place_(std::move(place)),
      store_(store),
      may_write_(std::move(may_write)),
      timer_(client.loop().timers(), [this] { look(); }) {
  timer_.arm(client_.loop().clock().now());
}

void TicketWriter::look() {
  timer_.arm(client_.loop().now() + kLook);
  if (!may_write_()) return;
  const auto object = store_.get({store::Kind::kSecret, place_.ns, place_.name});
  if (object == nullptr) return;  // the report on it says so
  const auto& secret = static_cast<const store::Secret&>(*object);
  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                               client_.loop().clock().wall_now().time_since_epoch())
                               .count();
  const ingress::TicketRing ring = ring_of(secret);
  if (ring.empty()) return write(secret, ingress::make_ticket_ring(now));
  if (rotation_due(ring, now, place_.period)) write(secret, rotated(ring, now));
}

void TicketWriter::write(const store::Secret& secret, const ingress::TicketRing& ring) {
  timer_.cancel();  // the answer arms it
  kubernetes::ApiRequest request;
  request.method = "PATCH";
  request.path = api_path(store::row(store::Kind::kSecret).descriptor, place_.ns, place_.name);
  request.content_type = "application/merge-patch+json";
  request.body = patch_text(secret, ring);
  call_ = client_.call(
      std::move(request),
      [this](const base::Result<kubernetes::ApiResponse>& answer) { written(answer); });
}

void TicketWriter::written(const base::Result<kubernetes::ApiResponse>& answer) {
  timer_.arm(client_.loop().now() + kLook);
  if (!answer.ok()) return refused(answer.error().text);
  const kubernetes::ApiResponse& response = answer.value();
  if (response.head.status == kConflict) return;  // the newer one is on its way to the store
  if (response.head.status == kUnauthorized) client_.refuse_credentials();
  if (!response.ok())
    return refused(kubernetes::status_error(response.head.status, response.body).text);
  told_.clear();
  base::log_info("session ticket keys written", {{"secret", place_.ns + "/" + place_.name}});
}

void TicketWriter::refused(const std::string& reason) {
  timer_.arm(client_.loop().now() + kAfterRefusal);
  if (reason == told_) return;
  told_ = reason;
  base::log_warn("session ticket keys not written",
                 {{"secret", place_.ns + "/" + place_.name}, {"reason", reason}});
}

}  // namespace weir::peers
