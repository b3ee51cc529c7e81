#include "tests/fakes/fake_api_server.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/fakes/fake_api_state.h"

namespace weir::fakes {
namespace {

using base::Json;

// A thread for each connection: a watch holds its own as long as it lasts.
class ThreadPerConnection final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override { threads_.emplace_back(std::move(task)); }
  void shutdown() override {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;  // touched by the accepting thread only
};

std::string table_key(const FakeTarget& target) {
  return target.kind.group.empty() ? target.kind.plural
                                   : target.kind.plural + "." + target.kind.group;
}

}  // namespace

void send_answer(const FakeAnswer& answer, httplib::Response& response) {
  response.status = answer.code;
  response.set_content(answer.body.to_string(), "application/json");
}

std::string selected_name(const httplib::Request& request) {
  static constexpr std::string_view kName = "metadata.name=";
  const std::string selector = request.get_param_value("fieldSelector");
  return selector.starts_with(kName) ? selector.substr(kName.size()) : std::string();
}

void FakeApiServer::State::start() {
  server = std::make_unique<httplib::Server>();
  server->new_task_queue = [] { return new ThreadPerConnection; };
  server->set_keep_alive_max_count(1'000'000);
  server->set_keep_alive_timeout(1);  // stop() waits for idle connections
  server->set_tcp_nodelay(true);
  server->set_socket_options([this](socket_t fd) {
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    listen_fd = fd;
  });
  const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
    handle(request, response);
  };
  server->Get(".*", handler).Post(".*", handler).Put(".*", handler).Patch(".*", handler);
  server->Delete(".*", handler);
  // A port that was used a moment ago may need a few tries.
  for (int i = 0; i < 200; ++i) {
    if (port == 0) {
      port = server->bind_to_any_port("127.0.0.1");
      if (port > 0) break;
    } else if (server->bind_to_port("127.0.0.1", port)) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  WEIR_CHECK(port > 0);
  // The library's backlog of 5 lets a burst of watches wait for SYN retries.
  WEIR_CHECK(::listen(listen_fd, 1024) == 0);
  stopping = false;
  thread = std::thread([this] { server->listen_after_bind(); });
  for (int i = 0; i < 1000 && !server->is_running(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void FakeApiServer::State::stop() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
    ++cut_round;
  }
  changed.notify_all();
  server->stop();
  if (thread.joinable()) thread.join();
}

const FakeKind* FakeApiServer::State::kind_named(std::string_view kind) const {
  for (const FakeKind& one : kinds) {
    if (one.kind == kind) return &one;
  }
  return nullptr;
}

// /api/v1[/namespaces/NS]/PLURAL[/NAME[/status]] and /apis/GROUP/VERSION/…
std::optional<FakeTarget> FakeApiServer::State::target_of(const std::string& path) const {
  std::vector<std::string_view> parts = base::split(path, '/');
  std::size_t at = 1;
  const auto next = [&]() { return at < parts.size() ? std::string(parts[at++]) : std::string(); };
  FakeTarget out;
  const std::string root = next();
  const std::string group = root == "apis" ? next() : std::string();
  const std::string version = next();
  std::string plural = next();
  if (plural == "namespaces" && parts.size() > at + 1) {
    out.ns = next();
    plural = next();
  }
  for (const FakeKind& kind : kinds) {
    if (kind.group != group || kind.version != version || kind.plural != plural) continue;
    out.kind = kind;
    out.name = next();
    out.status = next() == "status";
    return out;
  }
  return std::nullopt;
}

std::optional<FakeAnswer> FakeApiServer::State::refuse(const httplib::Request& request,
                                                       const FakeTarget* target) const {
  if (faults.status != 0)
    return status_answer(faults.status, faults.status == 429 ? "TooManyRequests" : "InternalError",
                         "made to fail");
  if (!faults.token.empty() &&
      request.get_header_value("Authorization") != "Bearer " + faults.token)
    return status_answer(401, "Unauthorized", "Unauthorized");
  if (target == nullptr) return FakeAnswer{404, Json()};
  if (faults.denied.contains(target->kind.plural))
    return status_answer(403, "Forbidden",
                         table_key(*target) +
                             " is forbidden: User \"system:serviceaccount:weir:weir\" cannot " +
                             "list resource \"" + target->kind.plural + "\" in API group \"" +
                             target->kind.group + "\"" +
                             (target->ns.empty() ? " at the cluster scope"
                                                 : " in the namespace \"" + target->ns + "\""));
  return std::nullopt;
}

void FakeApiServer::State::handle(const httplib::Request& request, httplib::Response& response) {
  std::unique_lock lock(mutex);
  requests.push_back(request.method + " " + request.target);
  const std::chrono::milliseconds delay = faults.delay;
  if (delay.count() > 0) changed.wait_for(lock, delay, [this] { return stopping; });
  const auto target = target_of(request.path);
  if (auto refused = refuse(request, target ? &*target : nullptr)) {
    if (faults.retry_after > 0 && faults.status != 0)
      response.set_header("Retry-After", std::to_string(faults.retry_after));
    if (refused->code != 404) return send_answer(*refused, response);
    response.status = 404;
    return response.set_content("404 page not found\n", "text/plain");
  }
  const std::string watch_flag = request.get_param_value("watch");
  if (request.method == "GET" && target->collection() &&
      (watch_flag == "1" || watch_flag == "true"))
    return watch(request, response, *target);
  const FakeAnswer answer = read_or_write(request, *target);
  changed.notify_all();
  send_answer(answer, response);
}

FakeAnswer FakeApiServer::State::read_or_write(const httplib::Request& request,
                                               const FakeTarget& target) {
  if (request.method == "GET")
    return target.collection() ? list(request, target)
                               : store.get(target.kind, target.ns, target.name);
  if (request.method == "DELETE") return store.remove(target.kind, target.ns, target.name);
  auto body = Json::parse(request.body);
  if (!body) return status_answer(400, "BadRequest", body.error().text);
  if (request.method == "POST") return create(target, std::move(body).value());
  if (request.method == "PUT")
    return store.update(target.kind, std::move(body).value(), target.status);
  if (request.get_header_value("Content-Type") != "application/merge-patch+json")
    return status_answer(415, "UnsupportedMediaType",
                         "the body of the request was in an unknown format");
  return store.merge_patch(target.kind, target.ns, target.name, body.value(), target.status);
}

FakeAnswer FakeApiServer::State::create(const FakeTarget& target, Json object) {
  if (object["kind"].as_string() != target.kind.kind)
    return status_answer(400, "BadRequest", "the object's kind does not match the request's path");
  if (target.kind.namespaced) {
    if (object.find("metadata") == nullptr) object.set("metadata", Json::object());
    object.find("metadata")->set("namespace", Json(target.ns));
  }
  return store.create(target.kind, std::move(object));
}

FakeAnswer FakeApiServer::State::list(const httplib::Request& request, const FakeTarget& target) {
  Json body = Json::object();
  body.set("kind", Json(target.kind.kind + "List"));
  body.set("apiVersion", Json(target.kind.api_version()));
  Json metadata = Json::object();
  std::vector<Json> items;
  std::string version = std::to_string(store.version());
  const std::string token = request.get_param_value("continue");
  if (!token.empty()) {
    const auto found = continues.find(token);
    if (token.find(' ') == std::string::npos)
      return status_answer(400, "BadRequest", "invalid continue token: continue key is not valid");
    if (found == continues.end())
      return status_answer(
          410, "Expired",
          "The provided continue parameter is too old to display a consistent list result.");
    items = std::move(found->second);
    continues.erase(found);
    version = token.substr(0, token.find(' '));
  } else if (!faults.empty_lists) {
    items = store.list(target.kind, target.ns, selected_name(request));
  }
  const auto limit =
      static_cast<std::size_t>(base::parse_int(request.get_param_value("limit")).value_or(0));
  metadata.set("resourceVersion", Json(version));
  if (limit > 0 && items.size() > limit) {
    const std::string next = version + " " + std::to_string(next_token++);
    metadata.set("continue", Json(next));
    metadata.set("remainingItemCount", Json(static_cast<std::int64_t>(items.size() - limit)));
    continues[next].assign(items.begin() + static_cast<std::ptrdiff_t>(limit), items.end());
    items.resize(limit);
  }
  body.set("metadata", std::move(metadata));
  Json array = Json::array();
  for (Json& item : items) {
    item.erase("kind");  // the items of a list carry neither
    item.erase("apiVersion");
    array.push(std::move(item));
  }
  body.set("items", std::move(array));
  return {200, std::move(body)};
}

FakeApiServer::FakeApiServer() : state_(std::make_unique<State>()) {
  state_->kinds = {
      {"Ingress", "networking.k8s.io", "v1", "ingresses", true, true},
      {"IngressClass", "networking.k8s.io", "v1", "ingressclasses", false, false},
      {"Service", "", "v1", "services", true, true},
      {"EndpointSlice", "discovery.k8s.io", "v1", "endpointslices", true, false},
      {"Secret", "", "v1", "secrets", true, false},
      {"ConfigMap", "", "v1", "configmaps", true, false},
      {"Namespace", "", "v1", "namespaces", false, true},
      {"Lease", "coordination.k8s.io", "v1", "leases", true, false},
      {"Event", "events.k8s.io", "v1", "events", true, false},
  };
  state_->start();
}

FakeApiServer::~FakeApiServer() { state_->stop(); }

std::string FakeApiServer::url() const {
  return "http://127.0.0.1:" + std::to_string(state_->port);
}

std::string FakeApiServer::put(std::string_view json) {
  auto object = Json::parse(json);
  WEIR_CHECK(object.ok());
  return put_object(std::move(object).value());
}

std::string FakeApiServer::put_object(Json object) {
  const std::lock_guard lock(state_->mutex);
  const FakeKind* kind = state_->kind_named(object["kind"].as_string());
  WEIR_CHECK(kind != nullptr && object.find("metadata") != nullptr);
  Json& metadata = *object.find("metadata");
  metadata.erase("resourceVersion");
  if (kind->namespaced && metadata["namespace"].as_string().empty())
    metadata.set("namespace", Json("default"));
  const Json status = object["status"];
  const std::string ns = metadata["namespace"].as_string();
  const std::string name = metadata["name"].as_string();
  FakeAnswer answer = state_->store.get(*kind, ns, name).ok()
                          ? state_->store.update(*kind, object, false)
                          : state_->store.create(*kind, object);
  WEIR_CHECK(answer.ok());
  if (kind->has_status && !status.is_null()) {
    answer.body.set("status", status);
    answer = state_->store.update(*kind, std::move(answer.body), true);
  }
  state_->changed.notify_all();
  return answer.body.at_path("metadata", "resourceVersion").as_string();
}

bool FakeApiServer::remove(std::string_view kind, std::string_view ns, std::string_view name) {
  const std::lock_guard lock(state_->mutex);
  const FakeKind* row = state_->kind_named(kind);
  WEIR_CHECK(row != nullptr);
  const bool removed = state_->store.remove(*row, std::string(ns), std::string(name)).ok();
  state_->changed.notify_all();
  return removed;
}

Json FakeApiServer::get(std::string_view kind, std::string_view ns, std::string_view name) const {
  const std::lock_guard lock(state_->mutex);
  const FakeKind* row = state_->kind_named(kind);
  if (row == nullptr) return Json();
  const FakeAnswer answer = state_->store.get(*row, std::string(ns), std::string(name));
  return answer.ok() ? answer.body : Json();
}

std::vector<Json> FakeApiServer::all(std::string_view kind) const {
  const std::lock_guard lock(state_->mutex);
  const FakeKind* row = state_->kind_named(kind);
  return row == nullptr ? std::vector<Json>() : state_->store.list(*row, "", "");
}

void FakeApiServer::serve(FakeKind kind) {
  const std::lock_guard lock(state_->mutex);
  state_->kinds.push_back(std::move(kind));
}

void FakeApiServer::unserve(std::string_view kind) {
  {
    const std::lock_guard lock(state_->mutex);
    std::erase_if(state_->kinds, [kind](const FakeKind& one) { return one.kind == kind; });
  }
  close_watches();
}

void FakeApiServer::set_faults(FakeFaults faults) {
  const std::lock_guard lock(state_->mutex);
  state_->faults = std::move(faults);
  state_->changed.notify_all();
}

FakeFaults FakeApiServer::faults() const {
  const std::lock_guard lock(state_->mutex);
  return state_->faults;
}

void FakeApiServer::compact() {
  const std::lock_guard lock(state_->mutex);
  state_->store.compact();
  state_->continues.clear();
  state_->changed.notify_all();
}

void FakeApiServer::close_watches() {
  const std::lock_guard lock(state_->mutex);
  ++state_->close_round;
  state_->changed.notify_all();
}

void FakeApiServer::cut_watches() {
  const std::lock_guard lock(state_->mutex);
  ++state_->cut_round;
  state_->changed.notify_all();
}

void FakeApiServer::go_away() { state_->stop(); }
void FakeApiServer::come_back() { state_->start(); }

std::vector<std::string> FakeApiServer::requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requests;
}

std::size_t FakeApiServer::count_requests(std::string_view part) const {
  const std::lock_guard lock(state_->mutex);
  std::size_t count = 0;
  for (const std::string& one : state_->requests)
    count += one.find(part) != std::string::npos ? 1 : 0;
  return count;
}

std::size_t FakeApiServer::open_watches() const {
  const std::lock_guard lock(state_->mutex);
  return state_->open_watches;
}

}  // namespace weir::fakes
