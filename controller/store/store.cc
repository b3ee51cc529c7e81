#include "controller/store/store.h"

#include <algorithm>

#include "common/base/check.h"

namespace weir::store {
namespace {

using IndexValue = std::pair<Index, std::string>;

std::vector<IndexValue> values_of(const Object* object) {
  std::vector<IndexValue> out;
  if (object == nullptr) return out;
  row(object->key.kind).index(*object, out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// An object of a custom kind may come again at its version, whole, after an old schema cut it
// short.
bool is_same_version(const Object& a, const Object& b) {
  return row(a.key.kind).descriptor.required && !a.resource_version.empty() &&
         a.resource_version == b.resource_version && a.uid == b.uid;
}

}  // namespace

std::vector<ReadKey> Store::put(ObjectPtr object) {
  WEIR_CHECK(object != nullptr);
  ObjectPtr& slot = objects_[object->key];
  if (slot != nullptr && is_same_version(*slot, *object)) return {};
  return replace(slot, std::move(object));
}

std::vector<ReadKey> Store::remove(const ObjectKey& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return {};
  auto touched = replace(found->second, nullptr);
  objects_.erase(found);
  return touched;
}

std::vector<ReadKey> Store::replace(ObjectPtr& slot, ObjectPtr next) {
  const ObjectKey key = next != nullptr ? next->key : slot->key;
  const auto before = values_of(slot.get());
  const auto after = values_of(next.get());
  std::vector<ReadKey> touched;
  touched.push_back({key});
  for (const IndexValue& value : before) {
    touched.push_back({value});
    if (std::binary_search(after.begin(), after.end(), value)) continue;
    const auto bucket = indexes_.find(value);
    bucket->second.erase(key);
    if (bucket->second.empty()) indexes_.erase(bucket);
  }
  for (const IndexValue& value : after) {
    if (!std::binary_search(before.begin(), before.end(), value)) touched.push_back({value});
    indexes_[value][key] = next;
  }
  const bool fresh = slot == nullptr;
  const bool gone = next == nullptr;
  std::size_t& count = sizes_[static_cast<std::size_t>(key.kind)];
  count = count + (fresh ? 1 : 0) - (gone ? 1 : 0);
  slot = std::move(next);
  return touched;
}

ObjectPtr Store::get(const ObjectKey& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<ObjectPtr> Store::find(Index index, std::string_view value) const {
  std::vector<ObjectPtr> out;
  const auto bucket = indexes_.find(IndexValue(index, value));
  if (bucket == indexes_.end()) return out;
  out.reserve(bucket->second.size());
  for (const auto& [key, object] : bucket->second) out.push_back(object);
  return out;
}

bool Store::has(Index index, std::string_view value) const {
  return indexes_.find(IndexValue(index, value)) != indexes_.end();
}

std::vector<std::string> Store::index_values(Index index) const {
  std::vector<std::string> out;
  for (auto at = indexes_.lower_bound(IndexValue(index, ""));
       at != indexes_.end() && at->first.first == index; ++at)
    out.push_back(at->first.second);
  return out;
}

std::vector<ObjectPtr> Store::all(Kind kind) const {
  std::vector<ObjectPtr> out;
  out.reserve(size(kind));
  for (auto at = objects_.lower_bound(ObjectKey{kind, "", ""});
       at != objects_.end() && at->first.kind == kind; ++at)
    out.push_back(at->second);
  return out;
}

std::size_t Store::size(Kind kind) const { return sizes_[static_cast<std::size_t>(kind)]; }

}  // namespace weir::store
