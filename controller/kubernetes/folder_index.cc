#include "controller/kubernetes/folder_index.h"

#include <algorithm>

namespace weir::kubernetes {

void FolderIndex::put_file(const std::string& path, std::vector<ManifestObject> objects,
                           const std::unordered_set<std::string>& keep) {
  std::vector<std::string>& keys = files_[path];
  std::unordered_set<std::string> now(keep);
  for (const ManifestObject& object : objects) now.insert(object.key());
  std::vector<std::string> next;
  for (const std::string& key : keys) {
    if (keep.contains(key)) next.push_back(key);
    if (now.contains(key)) continue;
    const auto slot = slots_.find(key);
    if (slot == slots_.end()) continue;
    const auto held = slot->second.by_path.find(path);
    if (held == slot->second.by_path.end()) continue;
    gone_.insert_or_assign(key, std::move(held->second));
    slot->second.by_path.erase(held);
    touched_.push_back(key);
  }
  for (ManifestObject& object : objects) {
    std::string key = object.key();
    touched_.push_back(key);
    slots_[key].by_path.insert_or_assign(path, std::move(object));
    next.push_back(std::move(key));
  }
  keys = std::move(next);
}

void FolderIndex::remove_file(const std::string& path) {
  if (!has_file(path)) return;
  put_file(path, {}, {});
  files_.erase(path);
}

std::vector<std::string> FolderIndex::files_below(const std::string& path) const {
  std::vector<std::string> out;
  if (has_file(path)) out.push_back(path);
  const std::string prefix = path + "/";
  for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix);
       ++it)
    out.push_back(it->first);
  return out;
}

std::vector<std::string> FolderIndex::paths() const {
  std::vector<std::string> out;
  out.reserve(files_.size());
  for (const auto& [path, keys] : files_) out.push_back(path);
  return out;
}

void FolderIndex::settle() {
  const std::vector<std::string> touched = std::exchange(touched_, {});
  for (const std::string& key : touched) {
    const auto slot = slots_.find(key);
    if (slot != slots_.end()) settle_slot(key, slot->second);
  }
  gone_.clear();
}

void FolderIndex::settle_slot(const std::string& key, Slot& slot) {
  tell_conflict(slot);
  if (slot.by_path.empty()) {
    const bool had = !slot.handed_version.empty();
    const ManifestObject last = std::move(gone_.at(key));
    slots_.erase(key);
    if (had) target_.on_removed(*last.kind, last.ns, last.name);
    return;
  }
  const ManifestObject& best = slot.by_path.begin()->second;
  if (best.kind->fetch == Fetch::kOnDemand && !wanted_.contains(key)) return;
  if (best.version == slot.handed_version) return;
  slot.handed_version = best.version;
  target_.on_object(*best.kind, best.value);
}

void FolderIndex::tell_conflict(Slot& slot) {
  const bool conflict = slot.by_path.size() > 1;
  if (slot.by_path.empty() || (!conflict && !slot.conflict_told)) return;
  const auto first = slot.by_path.begin();
  const ManifestObject& best = first->second;
  std::string text;
  if (conflict) {
    const auto second = std::next(first);
    text = std::string(best.kind->kind) + " " + best.ns + "/" + best.name + " stands in " +
           first->first + ":" + std::to_string(best.line) + " and in " + second->first + ":" +
           std::to_string(second->second.line) + "; the first file by name counts";
  }
  slot.conflict_told = conflict;
  target_.on_problem(best.kind, best.ns + "/" + best.name, base::invalid(std::move(text)));
}

void FolderIndex::want(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  ++wanted_[manifest_key(kind, ns, name)];
}

void FolderIndex::unwant(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  const std::string key = manifest_key(kind, ns, name);
  const auto count = wanted_.find(key);
  if (count == wanted_.end() || --count->second > 0) return;
  wanted_.erase(count);
  const auto slot = slots_.find(key);
  if (slot != slots_.end()) slot->second.handed_version.clear();
}

void FolderIndex::look(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  const std::string key = manifest_key(kind, ns, name);
  if (!wanted_.contains(key)) return;
  const auto slot = slots_.find(key);
  if (slot == slots_.end()) return target_.on_removed(kind, ns, name);
  settle_slot(key, slot->second);
}

}  // namespace weir::kubernetes
