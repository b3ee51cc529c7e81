#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/snapshot/publisher.h"

namespace weir::snapshot {

// Who opens listening sockets: the supervisor, over its channel. May block shortly.
class SocketSource {
 public:
  virtual ~SocketSource() = default;
  // One per worker.
  virtual base::Result<std::vector<base::UniqueFd>> listen(const model::Bind& bind,
                                                           std::uint32_t sockets) = 0;
  virtual base::Result<void> unlisten(const model::Bind& bind) = 0;
};

// Which binds are open, compared with what the listeners want. A bind that fails is asked for again
// by retry(). One thread.
class Binds {
 public:
  Binds(SocketSource& source, std::uint32_t workers) : source_(source), workers_(workers) {}

  // Closes and opens what the snapshot's listeners ask for. failures: one per bind that could not
  // be opened; the listener stays without it.
  std::vector<SocketChange> follow(const exchange::Snapshot& snapshot,
                                   std::vector<wire::Reason>& failures);
  // Tries the failed binds again and returns those that opened.
  std::vector<SocketChange> retry();
  std::size_t failing() const { return failing_.size(); }
  std::size_t open() const { return open_.size(); }

 private:
  using Key = std::pair<std::string, std::string>;  // listener, bind as text
  using Wanted = std::map<Key, model::Bind>;
  static Wanted wanted(const exchange::Snapshot& snapshot);
  void close_unwanted(const Wanted& wanted, std::vector<SocketChange>& out);
  base::Result<SocketChange> open(const Key& key, const model::Bind& bind);

  SocketSource& source_;
  const std::uint32_t workers_;
  Wanted open_;
  Wanted failing_;
};

}  // namespace weir::snapshot
