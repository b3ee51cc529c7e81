#include "dataplane/snapshot/policies.h"

#include <algorithm>

namespace weir::snapshot {

CompiledPolicy Policies::compile(const model::Resource& resource) const {
  CompiledPolicy out;
  const auto policy = model::read_resource<model::Policy>(resource);
  if (!policy.ok()) {
    out.problem = policy.error().text;
    return out;
  }
  const std::string& stem = policy.value().stem;
  const auto kind = std::find_if(kinds_.begin(), kinds_.end(),
                                 [&stem](const auto& one) { return one.stem == stem; });
  if (kind == kinds_.end()) {
    out.problem = "policy " + resource.key.name + ": this dataplane has no feature '" + stem + "'";
    return out;
  }
  if (policy.value().revision > kind->revision) {
    out.problem = "policy " + resource.key.name + ": revision " +
                  std::to_string(policy.value().revision) + " of '" + stem +
                  "' is newer than this dataplane, which knows " + std::to_string(kind->revision);
    return out;
  }
  auto made = kind->make(resource);
  if (!made.ok()) {
    out.problem = "policy " + resource.key.name + ": " + made.error().text;
    return out;
  }
  out.filter = std::move(made).value();
  out.rank = static_cast<std::size_t>(kind - kinds_.begin());
  return out;
}

const CompiledPolicy* Policies::find(const std::string& name) const {
  const auto at = compiled_.find(name);
  return at == compiled_.end() ? nullptr : &at->second;
}

void Policies::put(const std::string& name, CompiledPolicy policy) {
  compiled_.insert_or_assign(name, std::move(policy));
}

void Policies::add_user(const model::Route& route, const model::Resource* resource) {
  for (const std::string& name : policies_of(route)) users_[name].insert(resource);
}

void Policies::remove_user(const model::Route& route, const model::Resource* resource) {
  for (const std::string& name : policies_of(route)) {
    const auto at = users_.find(name);
    if (at == users_.end()) continue;
    at->second.erase(resource);
    if (at->second.empty()) users_.erase(at);
  }
}

const Policies::Users* Policies::users(const std::string& name) const {
  const auto at = users_.find(name);
  return at == users_.end() ? nullptr : &at->second;
}

std::vector<std::string> policies_of(const model::Route& route) {
  std::vector<std::string> out = route.policies;
  for (const model::WeightedBackend& backend : route.backends) {
    out.insert(out.end(), backend.policies.begin(), backend.policies.end());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace weir::snapshot
