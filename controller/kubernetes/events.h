#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "controller/kubernetes/api_client.h"

namespace weir::kubernetes {

// What an Event is about.
struct EventObject {
  std::string api_version, kind, ns, name, uid, version;
};
// From an object as a source handed it out.
EventObject event_object(const base::Json& object);

struct EventLimits {
  int burst = 10;                                  // Events about one object at once …
  std::chrono::milliseconds refill{30'000};        // … and one more after each of these
  std::chrono::milliseconds series_every{10'000};  // a repeated Event is written at most so often
  std::chrono::milliseconds series_end{360'000};   // a repeat after this is a new Event
};

// Writes Events (events.k8s.io/v1), best effort: nobody waits for them and none is retried. The
// same Event again becomes a series (count, last time) and not a new object. Bounds: 8 calls at a
// time, 1,000 waiting, 4,096 remembered Events. One loop thread.
class EventRecorder {
 public:
  // client is borrowed. controller: "weir.ingress/controller"; instance: the pod's name.
  EventRecorder(ApiClient& client, std::string controller, std::string instance,
                EventLimits limits = {});

  struct Event {
    bool warning = false;        // type Warning, else Normal
    std::string reason, action;  // one CamelCase word each
    std::string note;            // cut at 1,024 bytes
  };
  void record(const EventObject& about, const Event& event);
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Series {
    std::string ns, name;  // of the Event; empty name: not created yet
    std::int64_t count = 1;
    std::int64_t written_count = 1;
    base::TimePoint seen_at;
    base::TimePoint written_at;
    std::string last_observed;
  };
  struct Bucket {
    double tokens = 0;
    base::TimePoint at;
  };
  struct Pending {
    ApiRequest request;
    std::string key;  // of the series, for a create
  };

  bool allow(const std::string& object_key);
  void create(const std::string& key, const EventObject& about, const Event& event);
  void write_series(Series& series);
  void write_due_series();
  void enqueue(Pending pending);
  void pump();
  void take_answer(std::size_t slot, const std::string& key,
                   const base::Result<ApiResponse>& response);
  void forget_old();
  std::string now_text() const;

  ApiClient& client_;
  std::string controller_;
  std::string instance_;
  EventLimits limits_;
  loop::Timer timer_;
  std::unordered_map<std::string, Series> series_;
  std::unordered_map<std::string, Bucket> buckets_;
  std::deque<Pending> pending_;
  std::array<std::unique_ptr<ApiCall>, 8> calls_;
  std::uint64_t dropped_ = 0;
  std::uint64_t next_name_ = 0;
};

}  // namespace weir::kubernetes
