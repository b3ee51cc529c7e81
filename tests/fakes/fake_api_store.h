#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json.h"

namespace weir::fakes {

// A kind that the fake API server serves.
struct FakeKind {
  std::string kind, group, version, plural;
  bool namespaced = true;
  bool has_status = false;  // has a /status subresource: other writes leave status alone
  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
};

// An HTTP status with a Kubernetes Status object, or an object.
struct FakeAnswer {
  int code = 200;
  base::Json body;
  bool ok() const { return code < 300; }
};

// Makes the Status object of an error as the API server does.
FakeAnswer status_answer(int code, std::string reason, std::string message);

struct FakeEvent {
  std::int64_t version = 0;
  std::string type;  // ADDED, MODIFIED, DELETED
  std::string plural, ns, name;
  base::Json object;
};

// The objects of the fake API server, with one growing version for all and a log of events that can
// be compacted, as etcd has them. Not locked: the server's mutex guards it.
class FakeApiStore {
 public:
  FakeAnswer create(const FakeKind& kind, base::Json object);
  // Replaces; a resourceVersion in the object must be the current one. status: the write is to
  // /status.
  FakeAnswer update(const FakeKind& kind, base::Json object, bool status);
  FakeAnswer merge_patch(const FakeKind& kind, const std::string& ns, const std::string& name,
                         const base::Json& patch, bool status);
  FakeAnswer remove(const FakeKind& kind, const std::string& ns, const std::string& name);
  FakeAnswer get(const FakeKind& kind, const std::string& ns, const std::string& name) const;

  // Objects sorted by namespace and name; empty ns or name: any.
  std::vector<base::Json> list(const FakeKind& kind, const std::string& ns,
                               const std::string& name) const;
  std::int64_t version() const { return version_; }
  std::int64_t compacted() const { return compacted_; }
  // Forgets all events so far: watches from before now are told 410.
  void compact();
  void bump() { ++version_; }  // as when an object of another kind changes
  // The oldest event after `version`, or null.
  const FakeEvent* event_after(std::int64_t version) const;

 private:
  using Key = std::pair<std::string, std::string>;
  FakeAnswer store(const FakeKind& kind, const Key& key, base::Json object, const base::Json* old);
  void log(const FakeKind& kind, std::string type, const Key& key, base::Json object);

  std::map<std::string, std::map<Key, base::Json>> objects_;  // by group/plural
  std::deque<FakeEvent> events_;
  std::int64_t version_ = 100;
  std::int64_t compacted_ = 0;
  std::int64_t next_uid_ = 1;
};

}  // namespace weir::fakes
