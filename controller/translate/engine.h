#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/store/store.h"
#include "controller/translate/unit.h"
#include "controller/translate/view.h"

namespace weir::translate {

// Builds units of some types: Ingress now, Gateway API later. Pure and const; borrowed by the
// engine.
class Translator {
 public:
  virtual ~Translator() = default;
  // Units that exist by themselves (listeners, settings), before any object.
  virtual std::vector<UnitKey> fixed_units() const = 0;
  // The unit that an index value calls into being ("Ingress by host" x "a.test" -> host a.test), or
  // none.
  virtual std::optional<UnitKey> unit_of(store::Index index, std::string_view value) const = 0;
  // False when another translator builds it.
  virtual bool builds(const UnitKey& unit) const = 0;
  virtual UnitResult build(const UnitKey& unit, View& view) const = 0;
};

// The desired state and its keeper. An event marks exactly the units whose recorded reads it
// touches; a full rebuild is "mark all dirty", the same code. Owns no time: the caller bounds a
// slice. One thread.
class Engine {
 public:
  // store, translators: borrowed for the engine's life.
  Engine(const store::Store& store, std::vector<const Translator*> translators);
  ~Engine();

  void touch(const std::vector<store::ReadKey>& touched);  // after Store::put or remove
  void mark_all_dirty();
  // For what no object says: the translator's own configuration of this unit changed (renewed
  // ticket keys).
  void mark_dirty(const UnitKey& unit);
  bool dirty() const;

  // What one run changed. Keys appear once, with their newest state.
  struct Changes {
    std::vector<model::ResourcePtr> upserts;
    std::vector<model::ResourceKey> removals;
    std::set<store::ObjectKey> reports_changed;  // objects whose reports differ from before
    std::set<store::ObjectKey>
        owners_changed;  // objects whose resources changed (or began or ceased to be served)
    std::vector<store::ObjectKey>
        wanted;  // objects of on-demand kinds that a unit has begun to read
    std::vector<store::ObjectKey> unwanted;  // … and that no unit reads any more
    bool empty() const {
      return upserts.empty() && removals.empty() && reports_changed.empty() &&
             owners_changed.empty() && wanted.empty() && unwanted.empty();
    }
  };
  // Rebuilds dirty units, at least one, until none is left or clock reaches deadline; merges into
  // out what is wanted, and all the rest once no unit is dirty. A unit that another begins to want
  // is built in the same run whatever the deadline, so that no run hands out a route without its
  // cluster and certificate. Interned policies appear and vanish with their last route.
  void run(const base::Clock& clock, base::TimePoint deadline, Changes& out);

  // Desired state.
  const std::map<model::ResourceKey, model::ResourcePtr>& resources() const;
  std::vector<Report> reports_of(const store::ObjectKey& object) const;
  std::vector<Report> reports() const;
  // Keys of the resources that serve this object now; empty when it is not ours or serves nothing.
  std::vector<model::ResourceKey> resources_of(const store::ObjectKey& object) const;
  // Objects of on-demand kinds that units read now, sorted.
  std::vector<store::ObjectKey> wanted() const;
  std::size_t unit_count() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::translate
