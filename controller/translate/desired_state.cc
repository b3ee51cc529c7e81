#include "controller/translate/desired_state.h"

#include <algorithm>

#include "common/base/check.h"

namespace weir::translate {
namespace {

bool is_policy(const model::ResourceKey& key) { return key.type == model::ResourceType::kPolicy; }

bool is_same(const model::ResourcePtr& a, const model::ResourcePtr& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a == b || a->hash == b->hash;
}

}  // namespace

void DesiredState::replace(Unit& unit, UnitResult result) {
  Resources resources;
  for (model::ResourcePtr& resource : result.resources) {
    const model::ResourceKey key = resource->key;
    const bool fresh = resources.emplace(key, std::move(resource)).second;
    WEIR_CHECK(fresh || is_policy(key));
  }
  std::set<Report> reports(result.reports.begin(), result.reports.end());
  Owners owners;
  for (Ownership& one : result.owners) {
    std::sort(one.resources.begin(), one.resources.end());
    owners.emplace(std::move(one.object), std::move(one.resources));
  }
  replace_owners(unit, owners, resources);
  replace_resources(unit, resources);
  replace_reports(unit, reports);
  unit.resources = std::move(resources);
  unit.reports = std::move(reports);
  unit.owners = std::move(owners);
}

void DesiredState::replace_resources(const Unit& unit, const Resources& next) {
  for (const auto& [key, resource] : next) {
    const auto old = unit.resources.find(key);
    const bool had = old != unit.resources.end();
    if (had && is_same(old->second, resource)) continue;
    if (is_policy(key)) {
      if (policy_users_[key]++ > 0) continue;
    } else {
#ifndef NDEBUG
      WEIR_CHECK(had || !resources_.contains(key));  // two units must not emit one key
#endif
    }
    put_resource(resource);
  }
  for (const auto& [key, resource] : unit.resources) {
    if (next.contains(key)) continue;
    if (is_policy(key)) {
      const auto users = policy_users_.find(key);
      if (--users->second > 0) continue;
      policy_users_.erase(users);
    }
    drop_resource(key);
  }
}

void DesiredState::replace_reports(const Unit& unit, const std::set<Report>& next) {
  for (const Report& report : next)
    if (!unit.reports.contains(report)) count_report(report, true);
  for (const Report& report : unit.reports)
    if (!next.contains(report)) count_report(report, false);
}

// An object's resources changed when their list did or one of them has another content.
void DesiredState::replace_owners(const Unit& unit, const Owners& next,
                                  const Resources& resources) {
  const auto content_differs = [&](const model::ResourceKey& key) {
    const auto before = unit.resources.find(key);
    const auto after = resources.find(key);
    if (before == unit.resources.end() || after == resources.end()) return true;
    return !is_same(before->second, after->second);
  };
  for (const auto& [object, keys] : next) {
    const auto old = unit.owners.find(object);
    const bool same_keys = old != unit.owners.end() && old->second == keys;
    if (same_keys && std::none_of(keys.begin(), keys.end(), content_differs)) continue;
    owners_[object][unit.key] = keys;
    owners_changed_.insert(object);
  }
  for (const auto& [object, keys] : unit.owners) {
    if (next.contains(object)) continue;
    const auto found = owners_.find(object);
    found->second.erase(unit.key);
    if (found->second.empty()) owners_.erase(found);
    owners_changed_.insert(object);
  }
}

void DesiredState::remember(const model::ResourceKey& key) {
  if (resources_before_.contains(key)) return;
  const auto found = resources_.find(key);
  resources_before_.emplace(key, found == resources_.end() ? nullptr : found->second);
}

void DesiredState::put_resource(const model::ResourcePtr& resource) {
  remember(resource->key);
  resources_[resource->key] = resource;
}

void DesiredState::drop_resource(const model::ResourceKey& key) {
  remember(key);
  resources_.erase(key);
}

void DesiredState::count_report(const Report& report, bool more) {
  std::size_t& count = reports_[report];
  reports_before_.emplace(report, count > 0);
  count = more ? count + 1 : count - 1;
  if (count == 0) reports_.erase(report);
}

void DesiredState::set_wanted(const store::ObjectKey& key, bool wanted) {
  wanted_before_.emplace(key, wanted_.contains(key));
  if (wanted) {
    wanted_.insert(key);
  } else {
    wanted_.erase(key);
  }
}

void DesiredState::flush(Engine::Changes& out) {
  flush_resources(out);
  for (const auto& [report, existed] : reports_before_)
    if (existed != reports_.contains(report)) out.reports_changed.insert(report.object);
  reports_before_.clear();
  out.owners_changed.merge(owners_changed_);
  owners_changed_.clear();
  flush_wanted(out);
}

void DesiredState::flush_resources(Engine::Changes& out) {
  std::map<model::ResourceKey, model::ResourcePtr> changed;  // null: removed
  for (const auto& [key, before] : resources_before_) {
    const auto found = resources_.find(key);
    const model::ResourcePtr now = found == resources_.end() ? nullptr : found->second;
    if (!is_same(before, now)) changed.emplace_hint(changed.end(), key, now);
  }
  resources_before_.clear();
  // What an earlier run put there and this one did not touch stays.
  for (model::ResourcePtr& resource : out.upserts) changed.emplace(resource->key, resource);
  for (const model::ResourceKey& key : out.removals) changed.emplace(key, nullptr);
  out.upserts.clear();
  out.removals.clear();
  for (auto& [key, resource] : changed) {
    if (resource != nullptr) {
      out.upserts.push_back(std::move(resource));
    } else {
      out.removals.push_back(key);
    }
  }
}

void DesiredState::flush_wanted(Engine::Changes& out) {
  for (const auto& [key, before] : wanted_before_) {
    const bool now = wanted_.contains(key);
    if (now == before) continue;
    auto& opposite = now ? out.unwanted : out.wanted;
    // Not yet acted upon by the caller: the two cancel out.
    if (std::erase(opposite, key) == 0) (now ? out.wanted : out.unwanted).push_back(key);
  }
  wanted_before_.clear();
}

std::vector<Report> DesiredState::reports_of(const store::ObjectKey& object) const {
  std::vector<Report> out;
  Report first;
  first.object = object;
  first.severity = Severity::kNote;
  for (auto at = reports_.lower_bound(first); at != reports_.end() && at->first.object == object;
       ++at)
    out.push_back(at->first);
  return out;
}

std::vector<Report> DesiredState::reports() const {
  std::vector<Report> out;
  for (const auto& [report, count] : reports_) out.push_back(report);
  return out;
}

std::vector<model::ResourceKey> DesiredState::resources_of(const store::ObjectKey& object) const {
  std::vector<model::ResourceKey> out;
  const auto found = owners_.find(object);
  if (found == owners_.end()) return out;
  for (const auto& [unit, keys] : found->second) out.insert(out.end(), keys.begin(), keys.end());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace weir::translate
