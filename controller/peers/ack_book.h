#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "controller/kubernetes/source.h"
#include "controller/status/replicas.h"

namespace weir::peers {

// Versions by kind, or by kind and namespace, up to which everything is acknowledged: what replicas
// tell each other. The keys are those of kubernetes::Positions.
using Acks = std::map<std::string, std::string, std::less<>>;

// Who has acknowledged what: this replica's dataplane, and those of the others as far as they have
// said so. Pure bookkeeping. Bounds: two states that wait for the dataplane, history of as many
// seconds as the patience has, one entry per peer. One loop thread.
class AckBook final : public status::Replicas {
 public:
  // clock: borrowed. patience: how long a peer is waited for, 1 s to 60 s.
  AckBook(const base::Clock& clock, base::Duration patience);

  // Of this replica. translated: all that the source has brought so far is in mark `mark` of the
  // session or before; begun, reached: the session's. settle: true when own() has moved.
  void translated(std::uint64_t mark, std::uint64_t begun, const kubernetes::Positions& positions);
  bool settle(std::uint64_t reached);
  const Acks& own() const { return own_; }

  // Of the others; names by address, as they are ready now. Those that are not named any more are
  // forgotten; a new one is waited for from now on. heard: true when it is something new.
  void set_peers(const std::map<std::string, std::string>& names);
  bool heard(const std::string& address, Acks acks);
  void lost(const std::string& address);  // no connection: it says nothing

  status::Programmed programmed(const store::ObjectKey& object,
                                const std::string& version) const override;

  // For people and metrics.
  struct PeerState {
    std::string name;         // "replica 10.0.0.7"
    bool silent = true;       // there is no connection, or it has not said anything yet
    base::Duration behind{};  // age of the oldest change that it has not acknowledged; 0: none
    bool overdue = false;     // … for longer than the patience
  };
  std::vector<PeerState> peers() const;

  void tick();  // once a second

 private:
  struct Seen {
    std::uint64_t mark = 0;
    Acks acks;    // what own() is once the mark is reached
    Acks newest;  // versions of objects: what others must have acknowledged to be in step
  };
  struct Moment {
    base::TimePoint at;
    Acks newest;
  };
  struct Peer {
    std::string name;
    base::TimePoint since;  // when it became ready, as seen from here
    bool silent = true;
    Acks acks;
    std::optional<base::TimePoint> behind_since;  // as of the last tick
  };

  bool acknowledge(const Seen& seen);  // true when own() has moved
  bool overdue(const Peer& peer, std::string_view scope, const std::string& version) const;
  std::optional<base::TimePoint> behind_since(const Peer& peer) const;

  const base::Clock& clock_;
  const base::Duration patience_;
  Seen latest_;
  std::optional<Seen> running_;  // what the transaction that runs ends with, if that is not latest_
  bool in_step_ = false;
  Acks own_;
  Acks own_newest_;
  std::deque<Moment> history_;  // of own_newest_, oldest first
  std::map<std::string, Peer> peers_;
};

}  // namespace weir::peers
