#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dataplane/exchange/filter.h"
#include "dataplane/snapshot/state.h"

namespace weir::snapshot {

// A policy turned into its filter; interned: every route that names it shares the filter.
struct CompiledPolicy {
  exchange::FilterPtr filter;  // null when there is a problem
  std::size_t rank = 0;        // place of the feature in the chain
  std::string problem;         // why routes that name it answer 503
};

// The compiled policies and who uses them. One thread.
class Policies {
 public:
  explicit Policies(std::span<const exchange::FilterKind> kinds) : kinds_(kinds) {}

  // An unknown feature, a revision above ours or settings that the feature refuses give a problem.
  CompiledPolicy compile(const model::Resource& resource) const;

  const CompiledPolicy* find(const std::string& name) const;
  void put(const std::string& name, CompiledPolicy policy);
  void erase(const std::string& name) { compiled_.erase(name); }

  // Routes by the policies that they name, whether or not the policy is there. Resources are
  // compared by address; the State owns them.
  using Users = std::unordered_set<const model::Resource*>;
  void add_user(const model::Route& route, const model::Resource* resource);
  void remove_user(const model::Route& route, const model::Resource* resource);
  const Users* users(const std::string& name) const;
  std::size_t size() const { return compiled_.size(); }

 private:
  std::span<const exchange::FilterKind> kinds_;
  std::unordered_map<std::string, CompiledPolicy> compiled_;
  std::unordered_map<std::string, Users> users_;
};

// Every policy that the route or one of its backends names, each once.
std::vector<std::string> policies_of(const model::Route& route);

}  // namespace weir::snapshot
