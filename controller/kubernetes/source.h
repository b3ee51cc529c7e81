#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"

namespace weir::kubernetes {

// How the objects of a kind reach us.
enum class Fetch {
  kAll,       // list and watch everything (in the namespaces that are watched)
  kOnDemand,  // only objects that somebody wants by name: Secrets, ConfigMaps
};

// One row per kind; the rows live in store/kinds, this room only takes them.
struct KindDescriptor {
  std::string_view kind;     // "Ingress"
  std::string_view group;    // "networking.k8s.io"; empty for the core group
  std::string_view version;  // "v1"
  std::string_view plural;   // "ingresses"
  bool namespaced = true;
  Fetch fetch = Fetch::kAll;
  bool required = true;  // false: a custom kind. The cluster may not have it, it may appear late
                         // and vanish, and its schema may change
};

// Receives raw items. All calls on the loop's thread; never from inside Source::start or want.
// Level-triggered: an item says what is there now. A relist is diffed here, so unchanged objects
// are not handed out again and an object that vanished while nobody watched arrives as a removal.
class SourceTarget {
 public:
  virtual ~SourceTarget() = default;
  virtual void on_object(const KindDescriptor& kind, base::Json object) = 0;
  virtual void on_removed(const KindDescriptor& kind, std::string_view ns,
                          std::string_view name) = 0;
  // The first complete list of this kind has been handed out, or it was found that the kind cannot
  // be had (forbidden, not served): then on_problem came first. Once per kind.
  virtual void on_synced(const KindDescriptor& kind) = 0;
  // A lasting state, not a blip: forbidden, unauthorized, not served, unreadable file. Empty error
  // text: it is over. object: "namespace/name" or the file where known.
  virtual void on_problem(const KindDescriptor* kind, std::string_view object,
                          const base::Error& error) = 0;
};

// How far one watch has come, as resource versions; empty: not known.
struct Position {
  std::string seen;    // everything up to it has been handed out
  std::string newest;  // of what was handed out; never above `seen` but inside a list
};
// By kind ("Ingress"), or by kind and namespace ("Ingress/shop") where each has a watch of its own.
using Positions = std::map<std::string, Position, std::less<>>;

// Where objects come from: the Kubernetes API (api_source.h) or a folder of manifests
// (folder_source.h). One loop thread.
class Source {
 public:
  virtual ~Source() = default;
  // kinds and target are borrowed for the source's life.
  virtual void start(const std::vector<KindDescriptor>& kinds, SourceTarget& target) = 0;
  // Objects of an on-demand kind: from want() on, the object (or its absence, as on_removed) is
  // handed out and followed until unwant(). Counted: as many unwants as wants end it.
  virtual void want(const KindDescriptor& kind, std::string_view ns, std::string_view name) = 0;
  virtual void unwant(const KindDescriptor& kind, std::string_view ns, std::string_view name) = 0;
  // Seconds since the source last heard from its origin; a gauge, grows while the API server is
  // away.
  virtual double seconds_since_contact() const = 0;
  // How many kinds have lost all or nearly all objects at once, which is not believed yet.
  virtual std::size_t held_kinds() const { return 0; }
  // Of the kinds that are fetched whole. Empty for a source without versions.
  virtual Positions positions() const { return {}; }
};

}  // namespace weir::kubernetes
