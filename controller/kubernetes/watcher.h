#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "controller/kubernetes/api_client.h"
#include "controller/kubernetes/backoff.h"
#include "controller/kubernetes/json_items.h"
#include "controller/kubernetes/known_objects.h"

namespace weir::kubernetes {

class Watcher;

// Takes what one watcher finds. May call Watcher::stop(), must not destroy the watcher inside a
// call.
class WatcherTarget {
 public:
  virtual ~WatcherTarget() = default;
  virtual void on_item(Watcher& from, base::Json object) = 0;
  virtual void on_gone(Watcher& from, std::string_view ns, std::string_view name) = 0;
  // Once: the first complete list was handed out, or the kind cannot be had (then on_problem came
  // first, unless the kind may be absent).
  virtual void on_first_list(Watcher& from) = 0;
  // A lasting state; an empty text ends it.
  virtual void on_watch_problem(Watcher& from, const base::Error& error) = 0;
};

// What is watched: a kind in one namespace or in all (ns empty), or one object of it (name not
// empty).
struct WatchScope {
  const KindDescriptor* kind = nullptr;
  std::string ns;
  std::string name;
};

// Follows one scope for ever. A kind is listed by pages and watched: a server sends the initial
// events of a WatchList one by one, which takes ten times as long for a hundred thousand objects. A
// single object is asked for by WatchList where it is served, one request in the place of two.
//
// Invariants: (1) at any time exactly one of these holds: a stream runs, the retry timer is armed,
// stopped; (2) a running stream has a deadline (head, then stall), so silence never lasts; (3)
// known_ is what the target has, so a complete list hands out only differences; (4) a list that
// suddenly lacks all or nearly all objects removes nothing before that lasted for the grace time.
// One loop thread.
class Watcher final : private StreamTarget {
 public:
  // client, timings and target are borrowed for the object's life.
  Watcher(ApiClient& client, WatchScope scope, const WatchTimings& timings, WatcherTarget& target);
  ~Watcher() override;

  void start();
  void stop();  // nothing is handed out any more
  const WatchScope& scope() const { return scope_; }
  std::size_t known() const { return known_.size(); }
  bool holds() const { return hold_until_.has_value(); }  // removals, see (4)
  const Position& position() const { return position_; }

 private:
  enum class Phase { kList, kInitialWatch, kWatch };

  // Requests.
  void run();
  void begin_sync();
  void request_page();
  void begin_initial_watch();
  void begin_watch();
  void open(std::string query);
  std::string watch_query();

  // StreamTarget.
  void on_status(const ApiHead& head) override;
  void on_bytes(std::string_view bytes) override;
  void on_end(base::Result<void> result) override;
  void on_silence();
  std::chrono::milliseconds stall() const;

  // What the bytes said.
  void take_item(base::Json object);
  void note_newest(const std::string& version);
  void take_event(base::Json event);
  void take_bookmark(const base::Json& object);
  void end_page();
  void complete_sync();
  bool hold_drop();
  bool is_drop() const;
  void first_list_done();

  // Errors (watcher_errors.cc).
  void on_http_error(int status, const base::Json& body);
  void on_unauthorized(const base::Json& body);
  void on_forbidden(const base::Json& body);
  void on_not_served(const base::Json& body);
  void on_expired();
  void on_broken(const base::Error& error);
  void on_watch_ended();
  void doubt_schema();
  void fail(std::string reason);
  void retry_in(std::chrono::milliseconds wait);
  bool server_is_young() const;
  std::chrono::milliseconds after_error();
  void tell_problem(base::Error error);
  void clear_problem();
  std::chrono::milliseconds retry_after(const base::Json& body) const;

  ApiClient& client_;
  WatchScope scope_;
  const WatchTimings& timings_;
  WatcherTarget& target_;
  Jitter jitter_;
  Backoff backoff_;
  loop::Timer retry_timer_;
  loop::Timer silence_timer_;
  std::unique_ptr<ApiStream> stream_;
  KnownObjects known_;

  Phase phase_ = Phase::kList;
  bool needs_sync_ = true;
  std::variant<std::monostate, ListCutter, EventCutter> cutter_;
  ApiHead head_;
  bool has_head_ = false;
  bool had_bytes_ = false;
  std::string error_body_;
  std::optional<base::Json> error_event_;  // the Status of an in-stream ERROR
  bool held_ = false;                      // this stream's list is being held back as empty
  base::TimePoint opened_at_;

  std::string version_;   // resourceVersion to watch from
  Position position_;     // a list has no part in `seen` before it is complete
  std::string continue_;  // token of the next page
  int expired_lists_ = 0;
  std::optional<base::TimePoint> last_expired_;
  std::optional<base::TimePoint> last_away_;  // a connect failed
  int silences_ = 0;
  bool auth_retried_ = false;
  bool stopped_ = false;
  bool first_list_told_ = false;
  std::string problem_told_;
  std::optional<base::TimePoint> hold_until_;
};

}  // namespace weir::kubernetes
