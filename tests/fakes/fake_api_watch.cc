// One watch of the fake API server: a chunked answer that waits for events.

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/text.h"
#include "tests/fakes/fake_api_state.h"

namespace weir::fakes {
namespace {

using base::Json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{
    50};  // how often a silent watch looks whether its client lives

int port_of(int fd, int (*name_of)(int, sockaddr*, socklen_t*)) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (name_of(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return address.sin_family == AF_INET ? ntohs(address.sin_port) : 0;
}

// The socket of a request: cpp-httplib does not give it away, and without it a watch that has
// nothing to write never learns that its client is gone. -1: not found.
int socket_of(const httplib::Request& request, int local_port) {
  DIR* dir = ::opendir("/proc/self/fd");
  if (dir == nullptr) return -1;
  int found = -1;
  while (const dirent* entry = ::readdir(dir)) {
    const auto fd = base::parse_int(entry->d_name);
    if (!fd) continue;
    const int one = static_cast<int>(*fd);
    if (port_of(one, &::getpeername) == request.remote_port &&
        port_of(one, &::getsockname) == local_port)
      found = one;
  }
  ::closedir(dir);
  return found;
}

bool client_gone(int fd) {
  char byte = 0;
  return fd >= 0 && ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

struct Watch {
  int fd = -1;
  FakeTarget target;
  std::string name;          // of a single-object watch
  std::int64_t version = 0;  // events up to here have been sent
  std::string outbox;        // lines that are ready
  bool bookmarks = false;
  bool initial_end_pending = false;
  Clock::time_point end;
  Clock::time_point next_bookmark;
  unsigned close_round = 0;
  unsigned cut_round = 0;
  bool last = false;  // the outbox ends the watch
};

void line(std::string& out, std::string_view type, Json object) {
  Json event = Json::object();
  event.set("type", Json(type));
  event.set("object", std::move(object));
  out += event.to_string() + "\n";
}

Json bookmark(const FakeKind& kind, std::int64_t version, bool initial_end) {
  Json object = Json::object();
  object.set("kind", Json(kind.kind));
  object.set("apiVersion", Json(kind.api_version()));
  Json& metadata = object.set("metadata", Json::object());
  metadata.set("resourceVersion", Json(std::to_string(version)));
  metadata.set("creationTimestamp", Json());
  if (initial_end)
    metadata.set("annotations", Json::object()).set("k8s.io/initial-events-end", Json("true"));
  return object;
}

bool wanted(const Watch& watch, const FakeEvent& event) {
  return event.plural == watch.target.kind.plural + "." + watch.target.kind.group &&
         (watch.target.ns.empty() || event.ns == watch.target.ns) &&
         (watch.name.empty() || event.name == watch.name);
}

void collect_events(Watch& watch, const FakeApiStore& store, const FakeFaults& faults) {
  if (watch.version < store.compacted()) {
    line(watch.outbox, "ERROR",
         status_answer(410, "Expired",
                       "too old resource version: " + std::to_string(watch.version) + " (" +
                           std::to_string(store.compacted()) + ")")
             .body);
    watch.last = true;
    return;
  }
  while (const FakeEvent* event = store.event_after(watch.version)) {
    watch.version = event->version;
    if (faults.drop_events || !wanted(watch, *event)) continue;
    Json object = event->object;
    if (Json* spec = object.find("spec"); spec != nullptr && !faults.pruned.empty())
      spec->erase(faults.pruned);
    for (int i = 0; i < (faults.double_events ? 2 : 1); ++i)
      line(watch.outbox, event->type, object);
  }
}

std::optional<FakeAnswer> check_parameters(const httplib::Request& request,
                                           const FakeFaults& faults, const FakeApiStore& store) {
  const bool initial = request.get_param_value("sendInitialEvents") == "true";
  if (initial && !faults.watch_list && !faults.ignore_watch_list)
    return status_answer(
        422, "Invalid",
        "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: "
        "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
  if (initial && request.get_param_value("resourceVersionMatch") != "NotOlderThan")
    return status_answer(
        422, "Invalid",
        "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: "
        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  const std::string text = request.get_param_value("resourceVersion");
  const auto version = base::parse_int(text.empty() ? "0" : text);
  if (!version)
    return status_answer(500, "",
                         "resourceVersion: Invalid value: \"" + text +
                             "\": strconv.ParseUint: parsing \"" + text + "\": invalid syntax");
  if (faults.http_410 && *version > 0 && *version < store.compacted())
    return status_answer(410, "Expired", "too old resource version: " + text);
  return std::nullopt;
}

Watch begin(const httplib::Request& request, const FakeTarget& target, const FakeFaults& faults,
            const FakeApiStore& store) {
  Watch watch;
  watch.target = target;
  watch.name = selected_name(request);
  watch.bookmarks = request.get_param_value("allowWatchBookmarks") == "true";
  const auto seconds = base::parse_int(request.get_param_value("timeoutSeconds")).value_or(1800);
  watch.end = Clock::now() + std::chrono::seconds(seconds);
  watch.next_bookmark = Clock::now() + faults.bookmark_every;
  watch.version = base::parse_int(request.get_param_value("resourceVersion")).value_or(0);
  const bool initial =
      request.get_param_value("sendInitialEvents") == "true" && !faults.ignore_watch_list;
  if (watch.version > 0 && !initial) return watch;
  // Without a version, or with initial events, a watch starts with what is there.
  if (!faults.empty_lists) {
    for (Json& object : store.list(target.kind, target.ns, watch.name))
      line(watch.outbox, "ADDED", std::move(object));
  }
  watch.version = std::max(store.version(), store.compacted());
  watch.initial_end_pending = initial;
  return watch;
}

}  // namespace

void FakeApiServer::State::watch(const httplib::Request& request, httplib::Response& response,
                                 const FakeTarget& target) {
  if (const auto refused = check_parameters(request, faults, store))
    return send_answer(*refused, response);
  auto watch = std::make_shared<Watch>(begin(request, target, faults, store));
  watch->close_round = close_round;
  watch->cut_round = cut_round;
  watch->fd = socket_of(request, port);
  ++open_watches;
  const auto provider = [this, watch](std::size_t, httplib::DataSink& sink) {
    std::string ready;
    bool last = false;
    {
      std::unique_lock lock(mutex);
      if (watch->cut_round != cut_round || stopping || client_gone(watch->fd)) return false;
      if (!faults.stall_watches) {
        collect_events(*watch, store, faults);
        const bool time = Clock::now() >= watch->next_bookmark && watch->bookmarks;
        if (!watch->last && (time || watch->initial_end_pending)) {
          line(watch->outbox, "BOOKMARK",
               bookmark(watch->target.kind, watch->version, watch->initial_end_pending));
          watch->initial_end_pending = false;
          watch->next_bookmark = Clock::now() + faults.bookmark_every;
        }
        ready.swap(watch->outbox);
        last = watch->last;
      }
      last = last || watch->close_round != close_round || Clock::now() >= watch->end;
      if (ready.empty() && !last)
        changed.wait_for(lock, std::min<std::chrono::milliseconds>(kLook, faults.bookmark_every));
    }
    if (!ready.empty() && !sink.write(ready.data(), ready.size())) return false;
    if (last) sink.done();
    return true;
  };
  response.set_chunked_content_provider("application/json", provider, [this](bool) {
    const std::lock_guard lock(mutex);
    --open_watches;
  });
}

}  // namespace weir::fakes
