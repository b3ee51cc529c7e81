#pragma once

#include <map>
#include <set>
#include <vector>

#include "controller/translate/engine.h"
#include "controller/translate/unit_table.h"

namespace weir::translate {

// What all units together want the dataplane to do and tell the owners, kept up to date by
// differences: a unit's old output goes out, its new one comes in. Remembers what it was before the
// run, so that a run reports only what really differs.
class DesiredState {
 public:
  // Replaces what the unit gave before (unit holds it) by result, and stores that in the unit.
  void replace(Unit& unit, UnitResult result);
  // A unit began or ceased to read an on-demand object.
  void set_wanted(const store::ObjectKey& key, bool wanted);
  // Merges what changed since the last call into out. What is wanted alone costs only that.
  void flush(Engine::Changes& out);
  void flush_wanted(Engine::Changes& out);

  const std::map<model::ResourceKey, model::ResourcePtr>& resources() const { return resources_; }
  std::vector<Report> reports_of(const store::ObjectKey& object) const;
  std::vector<Report> reports() const;
  std::vector<model::ResourceKey> resources_of(const store::ObjectKey& object) const;
  const std::set<store::ObjectKey>& wanted() const { return wanted_; }

 private:
  using Resources = std::map<model::ResourceKey, model::ResourcePtr>;
  using Owners = std::map<store::ObjectKey, std::vector<model::ResourceKey>>;

  void replace_resources(const Unit& unit, const Resources& next);
  void replace_reports(const Unit& unit, const std::set<Report>& next);
  void replace_owners(const Unit& unit, const Owners& next, const Resources& resources);
  void put_resource(const model::ResourcePtr& resource);
  void drop_resource(const model::ResourceKey& key);
  void remember(const model::ResourceKey& key);
  void count_report(const Report& report, bool more);
  void flush_resources(Engine::Changes& out);

  Resources resources_;
  std::map<model::ResourceKey, std::size_t> policy_users_;  // units per policy
  std::map<Report, std::size_t> reports_;  // units per report; Report orders by object first
  std::map<store::ObjectKey, std::map<UnitKey, std::vector<model::ResourceKey>>> owners_;
  std::set<store::ObjectKey> wanted_;

  // State before the run of what was touched in it.
  std::map<model::ResourceKey, model::ResourcePtr> resources_before_;  // null: was not there
  std::map<Report, bool> reports_before_;
  std::map<store::ObjectKey, bool> wanted_before_;
  std::set<store::ObjectKey> owners_changed_;
};

}  // namespace weir::translate
