#pragma once

#include <string>

#include "controller/store/object.h"

namespace weir::status {

// Whether all replicas serve one version of an object.
struct Programmed {
  enum class State : std::uint8_t {
    kYes,      // every ready replica, this one included, has acknowledged it
    kWaiting,  // for at least one; ask again when Status::on_applied says that something moved
    kOverdue,  // all that are missing have been waited for long enough: say so, and go on
  };
  State state = State::kYes;
  // Who is missing, for people: "this replica", "replica 10.0.0.7"; empty with kYes.
  std::string missing;
};

// What status asks of whoever talks to the other replicas (controller/peers). One loop thread.
class Replicas {
 public:
  virtual ~Replicas() = default;
  // version: the object's metadata.resourceVersion. A replica counts when its dataplane has
  // acknowledged all that came of everything which its watch brought up to this version: the object
  // and what it knew beside it. A dataplane that refused a resource has answered, too: whether
  // the object could be served at all says the caller's own session. Versions that cannot be
  // compared are kYes. cost: a few look-ups per replica.
  virtual Programmed programmed(const store::ObjectKey& object,
                                const std::string& version) const = 0;
};

}  // namespace weir::status
