#include "controller/kubernetes/events.h"

#include "common/base/log.h"
#include "common/base/text.h"
#include "controller/kubernetes/manifest_objects.h"

namespace weir::kubernetes {
namespace {

using base::Json;

constexpr KindDescriptor kEvents{"Event", "events.k8s.io", "v1", "events"};
constexpr std::size_t kMaxNote = 1024;
constexpr std::size_t kMaxPending = 1000;
constexpr std::size_t kMaxRemembered = 4096;

Json regarding_of(const EventObject& about) {
  Json out = Json::object();
  const auto add = [&out](std::string_view field, const std::string& value) {
    if (!value.empty()) out.set(field, Json(value));
  };
  add("apiVersion", about.api_version);
  add("kind", about.kind);
  add("namespace", about.ns);
  add("name", about.name);
  add("uid", about.uid);
  add("resourceVersion", about.version);
  return out;
}

}  // namespace

EventObject event_object(const Json& object) {
  const Json& metadata = object["metadata"];
  return {object["apiVersion"].as_string(),  object["kind"].as_string(),
          metadata["namespace"].as_string(), metadata["name"].as_string(),
          metadata["uid"].as_string(),       metadata["resourceVersion"].as_string()};
}

EventRecorder::EventRecorder(ApiClient& client, std::string controller, std::string instance,
                             EventLimits limits)
    : client_(client),
      controller_(std::move(controller)),
      instance_(base::prefix_of(instance, 128)),
      limits_(limits),
      timer_(client.loop().timers(), [this] { write_due_series(); }) {}

std::string EventRecorder::now_text() const {
  const auto since = client_.loop().clock().wall_now().time_since_epoch();
  return base::format_rfc3339_micro(
      std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

void EventRecorder::record(const EventObject& about, const Event& event) {
  const base::TimePoint now = client_.loop().now();
  const std::string object_key = about.kind + " " + about.ns + "/" + about.name + " " + about.uid;
  const std::string key =
      object_key + "\n" + event.reason + "\n" + std::string(base::prefix_of(event.note, kMaxNote));
  const auto known = series_.find(key);
  if (known != series_.end() && now - known->second.seen_at < limits_.series_end) {
    Series& series = known->second;
    ++series.count;
    series.seen_at = now;
    series.last_observed = now_text();
    return write_series(series);
  }
  if (!allow(object_key)) {
    ++dropped_;
    return;
  }
  forget_old();
  create(key, about, event);
}

void EventRecorder::create(const std::string& key, const EventObject& about, const Event& event) {
  const base::TimePoint now = client_.loop().now();
  Series series;
  series.ns = about.ns.empty() ? "default" : about.ns;
  series.seen_at = now;
  series.written_at = now - limits_.series_every;  // the first repeat is written at once
  Json metadata = Json::object();
  metadata.set("name", Json(std::string(base::prefix_of(about.name, 200)) + "." +
                            std::to_string(now.time_since_epoch().count()) + "-" +
                            std::to_string(next_name_++)));
  metadata.set("namespace", Json(series.ns));
  Json body = Json::object();
  body.set("apiVersion", Json(api_version_of(kEvents)));
  body.set("kind", Json(kEvents.kind));
  body.set("metadata", std::move(metadata));
  body.set("eventTime", Json(now_text()));
  body.set("reportingController", Json(controller_));
  body.set("reportingInstance", Json(instance_));
  body.set("action", Json(event.action));
  body.set("reason", Json(event.reason));
  body.set("regarding", regarding_of(about));
  body.set("note", base::prefix_of(event.note, kMaxNote));
  body.set("type", Json(event.warning ? "Warning" : "Normal"));
  ApiRequest request;
  request.method = "POST";
  request.path = api_path(kEvents, series.ns);
  request.body = body.to_string();
  series_[key] = std::move(series);
  enqueue({std::move(request), key});
}

// A token bucket for each object: an object that goes wrong in ever new ways cannot flood the API.
bool EventRecorder::allow(const std::string& object_key) {
  const base::TimePoint now = client_.loop().now();
  const auto [found, fresh] = buckets_.try_emplace(object_key);
  Bucket& bucket = found->second;
  const std::chrono::duration<double, std::milli> passed = now - bucket.at;
  const double refilled = passed.count() / static_cast<double>(limits_.refill.count());
  bucket.tokens = fresh ? limits_.burst : std::min<double>(limits_.burst, bucket.tokens + refilled);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void EventRecorder::write_series(Series& series) {
  const base::TimePoint now = client_.loop().now();
  if (series.name.empty() || now - series.written_at < limits_.series_every) {
    if (!timer_.armed()) timer_.arm(now + limits_.series_every);
    return;
  }
  series.written_at = now;
  series.written_count = series.count;
  Json patch = Json::object();
  Json& fold = patch.set("series", Json::object());
  fold.set("count", Json(series.count));
  fold.set("lastObservedTime", Json(series.last_observed));
  ApiRequest request;
  request.method = "PATCH";
  request.path = api_path(kEvents, series.ns, series.name);
  request.content_type = "application/merge-patch+json";
  request.body = patch.to_string();
  enqueue({std::move(request), ""});
}

void EventRecorder::write_due_series() {
  for (auto& [key, series] : series_) {
    if (series.count > series.written_count && !series.name.empty()) write_series(series);
  }
}

void EventRecorder::enqueue(Pending pending) {
  if (pending_.size() >= kMaxPending) {
    ++dropped_;
    return;
  }
  pending_.push_back(std::move(pending));
  pump();
}

void EventRecorder::pump() {
  for (std::size_t slot = 0; slot < calls_.size() && !pending_.empty(); ++slot) {
    if (calls_[slot] != nullptr) continue;
    Pending next = std::move(pending_.front());
    pending_.pop_front();
    calls_[slot] = client_.call(std::move(next.request),
                                [this, slot, key = next.key](base::Result<ApiResponse> response) {
                                  take_answer(slot, key, response);
                                });
  }
}

void EventRecorder::take_answer(std::size_t slot, const std::string& key_of_call,
                                const base::Result<ApiResponse>& response) {
  const std::string key = key_of_call;  // the callback that owns it may go with the call
  calls_[slot].reset();
  const bool good = response.ok() && response.value().ok();
  if (!good) {
    ++dropped_;
    const base::Error error =
        response.ok() ? status_error(response.value().head.status, response.value().body)
                      : response.error();
    base::log_debug("Event not written", {{"reason", error.text}});
  }
  const auto created = series_.find(key);
  if (created != series_.end() && good) {
    created->second.name = response.value().body.at_path("metadata", "name").as_string();
    if (created->second.count > 1) write_series(created->second);
  } else if (created != series_.end()) {
    series_.erase(created);
  }
  pump();
}

void EventRecorder::forget_old() {
  if (series_.size() < kMaxRemembered && buckets_.size() < kMaxRemembered) return;
  const base::TimePoint old = client_.loop().now() - limits_.series_end;
  std::erase_if(series_, [&](const auto& one) { return one.second.seen_at < old; });
  std::erase_if(buckets_, [&](const auto& one) { return one.second.at < old; });
  if (series_.size() >= kMaxRemembered) series_.clear();
  if (buckets_.size() >= 2 * kMaxRemembered) buckets_.clear();
}

}  // namespace weir::kubernetes
