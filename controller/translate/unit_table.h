#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "controller/store/store.h"
#include "controller/translate/unit.h"

namespace weir::translate {

class Translator;

// One unit and what its last build read and gave.
struct Unit {
  UnitKey key;
  const Translator* translator = nullptr;
  bool fixed = false;      // exists by itself
  bool called = false;     // an index value calls it into being
  std::size_t wanted = 0;  // units that want it
  bool built = false;      // has been built since it exists
  std::set<store::ReadKey> reads;
  std::set<UnitKey> wants;
  std::map<model::ResourceKey, model::ResourcePtr> resources;
  std::set<Report> reports;
  std::map<store::ObjectKey, std::vector<model::ResourceKey>> owners;

  bool exists() const { return fixed || called || wanted > 0; }
};

// The units, the graph of their reads, and which of them are dirty. Cost of every call: the reads
// of one unit, or the readers of one key; never the number of units.
class UnitTable {
 public:
  Unit* find(const UnitKey& key);
  Unit& add(const UnitKey& key, const Translator& translator);  // or the one that is there
  void erase(const UnitKey& key);                               // its reads must be empty
  std::size_t size() const { return units_.size(); }

  void mark(const UnitKey& key) { dirty_.insert(key); }
  void mark_readers(const store::ReadKey& key);
  void mark_all();
  bool dirty() const { return !dirty_.empty(); }
  // The dirty unit to build next, taken off the list: first the new ones that others want.
  UnitKey take_dirty();
  void mark_urgent(const UnitKey& key) { urgent_.insert(key), dirty_.insert(key); }
  bool urgent() const { return !urgent_.empty(); }

  // Replaces the reads of a unit. began, ended: keys that no unit read before, or reads any more.
  struct ReadChanges {
    std::vector<store::ReadKey> began;
    std::vector<store::ReadKey> ended;
  };
  ReadChanges set_reads(Unit& unit, std::set<store::ReadKey> reads);

 private:
  std::map<UnitKey, std::unique_ptr<Unit>> units_;
  std::map<store::ReadKey, std::set<UnitKey>> readers_;
  std::set<UnitKey> dirty_;   // in build order: hosts stand before clusters and certificates
  std::set<UnitKey> urgent_;  // part of dirty_
};

}  // namespace weir::translate
