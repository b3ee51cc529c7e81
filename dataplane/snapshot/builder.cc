#include "dataplane/snapshot/builder.h"

namespace weir::snapshot {
namespace {

// What the state keeps of a resource whose content is in the table.
model::ResourcePtr slim(const model::Resource& whole) {
  auto out = std::make_shared<model::Resource>();
  out->key = whole.key;
  out->hash = whole.hash;
  return out;
}

}  // namespace

Builder::Builder(std::span<const exchange::FilterKind> kinds, observe::Labels& labels,
                 Generations& generations, unsigned workers)
    : shop_(kinds, labels, workers),
      generations_(generations),
      current_(generations.adopt(std::make_unique<exchange::Snapshot>())) {}

Builder::Outcome Builder::apply(const Transaction& transaction) {
  Outcome out;
  out.reasons = transaction.broken;
  if (!out.reasons.empty()) return out;
  const Changes changes(transaction, shop_.state);
  Draft draft(shop_, changes, *current_);
  draft.generation = generations_.next();
  draft.oldest_generation = generations_.oldest();
  build_settings(draft);
  build_ticket_keys(draft);
  build_policies(draft);
  build_certificates(draft);
  build_trusts(draft);
  build_clusters(draft);
  build_hosts(draft);
  build_routes(draft);
  build_listeners(draft);
  if (!draft.errors.empty()) {
    roll_back(draft);
    out.reasons = std::move(draft.errors);
    return out;
  }
  out.degraded = std::move(draft.degraded);
  out.swap = commit(draft, transaction.version);
  return out;
}

void Builder::roll_back(const Draft& draft) {
  for (const std::string& name : draft.fresh_clusters) {
    shop_.clusters.give_back(name, draft.generation);
  }
  for (const RouteEdit& edit : draft.routes) {
    if (edit.new_plan != nullptr) shop_.labels.release(edit.new_plan->labels);
  }
}

Swap Builder::commit(Draft& draft, std::uint64_t version) {
  Swap swap;
  draft.store_tables();
  draft.next->version = version;
  for (const std::string& name : draft.gone_clusters) {
    swap.removed_clusters.push_back(shop_.clusters.give_back(name, draft.generation));
  }
  swap.changed_clusters = std::move(draft.changed_clusters);
  commit_policies(draft);
  commit_routes(draft);
  commit_state(draft);
  current_ = generations_.adopt(std::move(draft.next));
  swap.snapshot = current_;
  return swap;
}

void Builder::commit_policies(Draft& draft) {
  for (const auto& [name, change] : draft.changes.of(model::ResourceType::kPolicy)) {
    if (change.after == nullptr) shop_.policies.erase(name);
  }
  for (auto& [name, policy] : draft.policies) shop_.policies.put(name, std::move(policy));
}

void Builder::commit_routes(Draft& draft) {
  for (const RouteEdit& edit : draft.routes) {
    shop_.step();
    if (edit.before != nullptr) {
      shop_.labels.release(edit.old_plan->labels);
      shop_.policies.remove_user(edit.old_plan->route(), edit.before);
    }
    if (edit.after == nullptr) continue;
    const model::Resource* kept = edit.after;
    if (edit.after != edit.before) {  // not only its policy changed
      kept = (draft.slim_routes[edit.after->key.name] = slim(*edit.after)).get();
    }
    shop_.policies.add_user(edit.new_plan->route(), kept);
  }
}

// Last: it lets go of the resources that the indexes above were keyed by.
void Builder::commit_state(const Draft& draft) {
  for (std::size_t i = 0; i < model::kResourceTypes; ++i) {
    const auto type = static_cast<model::ResourceType>(i);
    for (const auto& [name, change] : draft.changes.of(type)) {
      shop_.step();
      if (change.after != nullptr && type == model::ResourceType::kRoute) {
        shop_.state.put(draft.slim_routes.at(name));
      } else if (change.after != nullptr && type == model::ResourceType::kHost) {
        shop_.state.put(slim(*change.after));
      } else if (change.after != nullptr) {
        shop_.state.put(change.after);
      } else {
        shop_.state.erase(change.before->key);
      }
    }
  }
}

}  // namespace weir::snapshot
