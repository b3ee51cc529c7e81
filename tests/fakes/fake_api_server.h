#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "tests/fakes/fake_api_store.h"

namespace weir::fakes {

// What goes wrong on purpose. Change it with FakeApiServer::set_faults; it acts at once.
struct FakeFaults {
  bool watch_list = true;          // WatchList is served; false: 422 as an older server
  bool ignore_watch_list = false;  // sendInitialEvents is not known: never an end of initial events
  bool stall_watches = false;      // watches stay open and say nothing, no bookmarks either
  bool drop_events = false;        // events that happen now are never sent
  bool double_events = false;      // each event is sent twice
  std::string pruned;        // a field of spec that the schema of running watches does not know
  bool empty_lists = false;  // lists and initial events have no items
  bool http_410 = false;     // an old version is HTTP 410, not an ERROR event
  std::chrono::milliseconds delay{0};  // before each answer
  int status = 0;                      // every request is answered with this status …
  int retry_after = 0;                 // … and this Retry-After in seconds, 0: none
  std::string token;                   // not empty: requests need it as bearer token, else 401
  std::set<std::string> denied;        // plurals that are forbidden (403)
  std::chrono::milliseconds bookmark_every{60'000};
};

// A server on loopback that speaks the part of the Kubernetes API protocol that weir uses, over
// HTTP/1.1: get, create, update, merge-patch, /status, delete; list with limit and continue; watch
// with bookmarks, initial events and 410; Status errors. Each watch has a thread. Methods are safe
// from any thread.
//
//   FakeApiServer server;
//   server.put(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"default"}})");
class FakeApiServer {
 public:
  FakeApiServer();
  ~FakeApiServer();

  std::string url() const;  // "http://127.0.0.1:port"

  // Creates or replaces an object of a served kind (status included); gives its resourceVersion. A
  // missing namespace is "default". Aborts on text that is no JSON or of a kind that is not served.
  std::string put(std::string_view json);
  // A template, so that text never turns into a JSON string by itself.
  template <std::same_as<base::Json> Object>
  std::string put(Object object) {
    return put_object(std::move(object));
  }
  bool remove(std::string_view kind, std::string_view ns, std::string_view name);
  base::Json get(std::string_view kind, std::string_view ns,
                 std::string_view name) const;  // null: absent
  std::vector<base::Json> all(std::string_view kind) const;

  // Ingress, IngressClass, Service, EndpointSlice, Secret, ConfigMap, Namespace, Lease and Event
  // are there.
  void serve(FakeKind kind);
  // The kind is 404 from now on, its watches end; its objects stay for a later serve().
  void unserve(std::string_view kind);

  void set_faults(FakeFaults faults);
  FakeFaults faults() const;
  void compact();        // all versions so far are 410 Expired, continue tokens too
  void close_watches();  // ends every watch cleanly
  void cut_watches();    // breaks every watch in the middle
  void go_away();        // refuses connections, on the same port, until come_back()
  void come_back();

  // "GET /api/v1/services?limit=500" of every request so far.
  std::vector<std::string> requests() const;
  std::size_t count_requests(std::string_view part) const;
  std::size_t open_watches() const;

 private:
  std::string put_object(base::Json object);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::fakes
