#include "controller/kubernetes/watcher.h"

#include "common/base/log.h"
#include "controller/kubernetes/version.h"

namespace weir::kubernetes {
namespace {

using base::Json;

constexpr std::size_t kMaxErrorBody = 64 * 1024;
constexpr std::string_view kInitialEnd = "k8s.io/initial-events-end";

std::uint64_t next_salt() {
  static std::uint64_t salt = 0;  // watchers live on one thread
  return ++salt * 2;
}

}  // namespace

Watcher::Watcher(ApiClient& client, WatchScope scope, const WatchTimings& timings,
                 WatcherTarget& target)
    : client_(client),
      scope_(std::move(scope)),
      timings_(timings),
      target_(target),
      jitter_(next_salt()),
      backoff_(timings, jitter_),
      retry_timer_(client.loop().timers(), [this] { run(); }),
      silence_timer_(client.loop().timers(), [this] { on_silence(); }) {}

Watcher::~Watcher() = default;

void Watcher::start() { run(); }

void Watcher::stop() {
  stopped_ = true;
  retry_timer_.cancel();
  silence_timer_.cancel();
  stream_.reset();
}

void Watcher::run() {
  if (stopped_) return;
  if (needs_sync_) {
    begin_sync();
  } else {
    begin_watch();
  }
}

void Watcher::begin_sync() {
  known_.begin_round();
  continue_.clear();
  if (client_.watch_list_refused || scope_.name.empty()) {
    request_page();
  } else {
    begin_initial_watch();
  }
}

void Watcher::request_page() {
  phase_ = Phase::kList;
  cutter_.emplace<ListCutter>([this](Json item) { take_item(std::move(item)); });
  // A server that lets its continue tokens expire while we read gets the list asked for in one
  // piece.
  std::string query = expired_lists_ < 2 ? "?limit=" + std::to_string(timings_.page) : "?limit=0";
  if (!continue_.empty()) query += "&continue=" + url_encode(continue_);
  open(std::move(query));
}

void Watcher::begin_initial_watch() {
  phase_ = Phase::kInitialWatch;
  cutter_.emplace<EventCutter>([this](Json event) { take_event(std::move(event)); });
  open(watch_query() +
       "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=");
}

void Watcher::begin_watch() {
  phase_ = Phase::kWatch;
  cutter_.emplace<EventCutter>([this](Json event) { take_event(std::move(event)); });
  open(watch_query() + "&resourceVersion=" + url_encode(version_));
}

std::string Watcher::watch_query() {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(
      jitter_.between(timings_.watch_min, timings_.watch_max));
  return "?watch=1&allowWatchBookmarks=true&timeoutSeconds=" + std::to_string(seconds.count());
}

void Watcher::open(std::string query) {
  has_head_ = false;
  had_bytes_ = false;
  held_ = false;
  error_body_.clear();
  error_event_.reset();
  opened_at_ = client_.loop().now();
  if (!scope_.name.empty()) query += "&fieldSelector=" + url_encode("metadata.name=" + scope_.name);
  ApiRequest request;
  request.path = api_path(*scope_.kind, scope_.ns) + query;
  silence_timer_.arm(opened_at_ + timings_.head);
  stream_ = client_.stream(std::move(request), *this);
}

std::chrono::milliseconds Watcher::stall() const {
  return scope_.name.empty() ? timings_.stall : timings_.stall_single;
}

void Watcher::on_status(const ApiHead& head) {
  head_ = head;
  has_head_ = true;
  const auto limit = phase_ == Phase::kInitialWatch ? timings_.initial : stall();
  silence_timer_.arm(client_.loop().now() + limit);
  if (head.status != 200) return;
  auth_retried_ = false;
  if (!hold_until_) clear_problem();
}

void Watcher::on_bytes(std::string_view bytes) {
  had_bytes_ = true;
  silences_ = 0;
  if (phase_ != Phase::kInitialWatch) silence_timer_.arm(client_.loop().now() + stall());
  if (head_.status != 200) {
    if (error_body_.size() < kMaxErrorBody) error_body_.append(bytes);
    return;
  }
  auto* list = std::get_if<ListCutter>(&cutter_);
  auto fed = list != nullptr ? list->feed(bytes) : std::get<EventCutter>(cutter_).feed(bytes);
  if (stopped_) return;
  if (!fed) return fail(fed.error().text);
  if (error_event_) {
    stream_.reset();
    const Json status = std::move(*error_event_);
    return on_http_error(static_cast<int>(status["code"].as_int(500)), status);
  }
  if (held_) {
    stream_.reset();
    retry_in(timings_.empty_grace / 6);
  }
}

void Watcher::on_end(base::Result<void> result) {
  stream_.reset();
  silence_timer_.cancel();
  if (stopped_) return;
  if (client_.loop().now() - opened_at_ >= timings_.healthy) backoff_.reset();
  if (has_head_ && head_.status != 200) {
    auto status = Json::parse(error_body_);
    Json body;
    if (status) {
      body = std::move(status).value();
    } else {
      body.set("message", Json(error_body_));
    }
    return on_http_error(head_.status, body);
  }
  if (!result) return on_broken(result.error());
  if (phase_ == Phase::kList) return end_page();
  on_watch_ended();
}

void Watcher::take_item(Json object) {
  if (stopped_) return;
  // The items of a list carry neither field; who gets the object should not care how it came.
  if (!object.has("kind")) object.set("kind", Json(scope_.kind->kind));
  Json* metadata = object.find("metadata");
  if (metadata == nullptr || (*metadata)["name"].as_string().empty()) return;
  metadata->erase("managedFields");
  const std::string& ns = (*metadata)["namespace"].as_string();
  const std::string& name = (*metadata)["name"].as_string();
  const std::string& version = (*metadata)["resourceVersion"].as_string();
  note_newest(version);
  if (known_.put(ns, name, version)) target_.on_item(*this, std::move(object));
}

void Watcher::note_newest(const std::string& version) {
  if (!reaches(position_.newest, version)) position_.newest = version;
}

void Watcher::take_event(Json event) {
  if (stopped_ || error_event_ || held_) return;
  const std::string type = event["type"].as_string();
  Json* object = event.find("object");
  if (object == nullptr) return;
  if (type == "ERROR") {
    error_event_ = std::move(*object);
    return;
  }
  const Json metadata = (*object)["metadata"];
  if (!metadata["resourceVersion"].as_string().empty())
    version_ = metadata["resourceVersion"].as_string();
  if (phase_ == Phase::kWatch) position_.seen = version_;
  if (type == "BOOKMARK") return take_bookmark(*object);
  if (type == "ADDED" || type == "MODIFIED") return take_item(std::move(*object));
  if (type == "DELETED") note_newest(version_);
  if (type == "DELETED" &&
      known_.remove(metadata["namespace"].as_string(), metadata["name"].as_string()))
    target_.on_gone(*this, metadata["namespace"].as_string(), metadata["name"].as_string());
}

void Watcher::take_bookmark(const Json& object) {
  if (phase_ != Phase::kInitialWatch) return;
  if (object.at_path("metadata", "annotations", kInitialEnd).as_string() == "true") complete_sync();
}

void Watcher::end_page() {
  auto list = std::get<ListCutter>(cutter_).finish();
  if (!list) return fail(list.error().text);
  const Json& metadata = list.value()["metadata"];
  version_ = metadata["resourceVersion"].as_string();
  continue_ = metadata["continue"].as_string();
  if (!continue_.empty()) return request_page();
  expired_lists_ = 0;
  complete_sync();
  if (stopped_) return;
  if (held_) return retry_in(timings_.empty_grace / 6);
  begin_watch();
}

void Watcher::complete_sync() {
  if (hold_drop()) return;
  needs_sync_ = false;
  position_.seen = version_;
  // A store that was set back begins again below what it had said.
  if (reaches(position_.newest, version_)) position_.newest = version_;
  if (phase_ == Phase::kInitialWatch) {
    // The same stream goes on as the watch.
    phase_ = Phase::kWatch;
    silence_timer_.arm(client_.loop().now() + stall());
  }
  for (const auto& [ns, name] : known_.take_unseen()) {
    if (!stopped_) target_.on_gone(*this, ns, name);
  }
  if (!stopped_) first_list_done();
}

bool Watcher::is_drop() const {
  const std::size_t seen = known_.seen();
  if (seen == 0) return known_.size() > 0;
  return known_.size() >= timings_.drop_least && seen * 10 < known_.size();
}

// A sick API server may answer with an empty list, or with the little that it has read so far.
// True: no removal is applied yet, ask again.
bool Watcher::hold_drop() {
  const base::TimePoint now = client_.loop().now();
  if (!is_drop() || (hold_until_ && now >= *hold_until_)) {
    hold_until_.reset();
    clear_problem();
    return false;
  }
  needs_sync_ = true;
  held_ = true;
  if (!hold_until_) {
    hold_until_ = now + timings_.empty_grace;
    const std::string left = known_.seen() == 0 ? "none" : "only " + std::to_string(known_.seen());
    tell_problem(base::Error{
        base::ErrorKind::kProtocol, base::Origin::kUpstream, false,
        std::string(scope_.kind->plural) + ": the API server suddenly has " + left + " of " +
            std::to_string(known_.size()) + "; they stay for " +
            std::to_string(std::chrono::ceil<std::chrono::seconds>(timings_.empty_grace).count()) +
            " s while it is asked again"});
  }
  return true;
}

void Watcher::first_list_done() {
  if (std::exchange(first_list_told_, true)) return;
  target_.on_first_list(*this);
}

}  // namespace weir::kubernetes
