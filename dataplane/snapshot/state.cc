#include "dataplane/snapshot/state.h"

namespace weir::snapshot {
namespace {

model::ResourceType type_at(std::size_t index) { return static_cast<model::ResourceType>(index); }

}  // namespace

model::ResourcePtr State::find(model::ResourceType type, const std::string& name) const {
  const Resources& resources = all(type);
  const auto at = resources.find(name);
  return at == resources.end() ? nullptr : at->second;
}

std::vector<wire::TypeDigest> State::digests() const {
  std::vector<wire::TypeDigest> out;
  for (std::size_t i = 0; i < model::kResourceTypes; ++i) {
    out.push_back({type_at(i), digest(type_at(i))});
  }
  return out;
}

std::vector<wire::KeyHash> State::keys(model::ResourceType type) const {
  std::vector<wire::KeyHash> out;
  for (const auto& [name, resource] : all(type)) out.push_back({std::string(name), resource->hash});
  return out;
}

void State::put(model::ResourcePtr resource) {
  erase(resource->key);
  OneType& type = types_[index(resource->key.type)];
  type.digest.add(resource->key.name, resource->hash);
  const std::string_view name = resource->key.name;
  type.resources.emplace(name, std::move(resource));
}

void State::erase(const model::ResourceKey& key) {
  OneType& type = types_[index(key.type)];
  const auto at = type.resources.find(key.name);
  if (at == type.resources.end()) return;
  type.digest.remove(key.name, at->second->hash);
  type.resources.erase(at);
}

Changes::Changes(const Transaction& transaction, const State& state) {
  if (transaction.full) {
    for (std::size_t i = 0; i < model::kResourceTypes; ++i) {
      for (const auto& [name, resource] : state.all(type_at(i))) {
        types_[i].emplace(std::string(name), Change{resource, nullptr});
      }
    }
  }
  for (const model::ResourcePtr& resource : transaction.upserts) {
    set(resource->key, resource, state);
  }
  for (const model::ResourceKey& key : transaction.removals) set(key, nullptr, state);
  for (ByName& changes : types_) {
    std::erase_if(changes, [](const auto& entry) {
      const Change& change = entry.second;
      if (change.before == nullptr || change.after == nullptr) {
        return change.before == change.after;
      }
      return change.before->hash == change.after->hash;
    });
  }
}

void Changes::set(const model::ResourceKey& key, model::ResourcePtr after, const State& state) {
  const auto [at, fresh] = types_[static_cast<std::size_t>(key.type)].try_emplace(key.name);
  if (fresh) at->second.before = state.find(key.type, key.name);
  at->second.after = std::move(after);
}

}  // namespace weir::snapshot
