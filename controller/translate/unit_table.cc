#include "controller/translate/unit_table.h"

#include "common/base/check.h"

namespace weir::translate {

Unit* UnitTable::find(const UnitKey& key) {
  const auto found = units_.find(key);
  return found == units_.end() ? nullptr : found->second.get();
}

Unit& UnitTable::add(const UnitKey& key, const Translator& translator) {
  auto& slot = units_[key];
  if (slot == nullptr) {
    slot = std::make_unique<Unit>();
    slot->key = key;
    slot->translator = &translator;
  }
  return *slot;
}

void UnitTable::erase(const UnitKey& key) {
  const auto found = units_.find(key);
  if (found == units_.end()) return;
  WEIR_CHECK(found->second->reads.empty());
  units_.erase(found);
}

void UnitTable::mark_readers(const store::ReadKey& key) {
  const auto found = readers_.find(key);
  if (found != readers_.end()) dirty_.insert(found->second.begin(), found->second.end());
}

void UnitTable::mark_all() {
  for (const auto& [key, unit] : units_) dirty_.insert(key);
}

UnitKey UnitTable::take_dirty() {
  auto& from = urgent_.empty() ? dirty_ : urgent_;
  UnitKey key = *from.begin();
  urgent_.erase(key);
  dirty_.erase(key);
  return key;
}

UnitTable::ReadChanges UnitTable::set_reads(Unit& unit, std::set<store::ReadKey> reads) {
  ReadChanges changes;
  for (const store::ReadKey& key : unit.reads) {
    if (reads.contains(key)) continue;
    const auto found = readers_.find(key);
    found->second.erase(unit.key);
    if (!found->second.empty()) continue;
    readers_.erase(found);
    changes.ended.push_back(key);
  }
  for (const store::ReadKey& key : reads) {
    if (unit.reads.contains(key)) continue;
    auto& readers = readers_[key];
    if (readers.empty()) changes.began.push_back(key);
    readers.insert(unit.key);
  }
  unit.reads = std::move(reads);
  return changes;
}

}  // namespace weir::translate
