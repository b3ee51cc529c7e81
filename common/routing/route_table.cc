#include "common/routing/route_table.h"

#include <utility>

#include "common/base/text.h"
#include "common/routing/table_state.h"

namespace weir::routing {
namespace {

bool is_wildcard(std::string_view name) { return name.starts_with("*."); }

std::size_t dots_in(std::string_view suffix) {
  return static_cast<std::size_t>(std::count(suffix.begin(), suffix.end(), '.'));
}

bool passes_through(const HostBlock* block) {
  if (block == nullptr) return false;
  const auto& rule = block->host().passthrough;
  return rule && !rule->backends.empty();
}

std::shared_ptr<HostBlock> copy_or_make(const HostBlock* block, std::string_view table,
                                        std::string_view name) {
  if (block != nullptr) return std::make_shared<HostBlock>(*block);
  model::Host host;
  host.table = table;
  host.name = name;
  return std::make_shared<HostBlock>(std::move(host));
}

}  // namespace

SplitRequest::SplitRequest(const RequestKey& request)
    : host(request.host), bad_host(!request.host.empty() && !host.valid()) {
  const std::size_t mark = request.target.find('?');
  path = request.target.substr(0, mark);
  conditions.method = request.method;
  conditions.fields = request.fields;
  if (mark != std::string_view::npos) conditions.query = request.target.substr(mark + 1);
}

const HostBlock* RouteTable::State::block(std::string_view name) const {
  if (name == "*") return any.get();
  return is_wildcard(name) ? wildcards.find(name.substr(1)) : exact.find(name);
}

Decision RouteTable::State::match_path(const SplitRequest& request, std::string_view path) const {
  Decision decision;
  decision.outcome = match(request, [&](const HostBlock& block) {
    return block.walk(path, [&](const WalkedRoute& met) {
      if (met.plain != nullptr) {
        decision.target = met.plain;
      } else if (met.route->check(request.conditions).kind == Mismatch::Kind::kNone) {
        decision.target = &met.route->target();
      }
      return decision.target != nullptr;
    });
  });
  return decision;
}

// Puts a changed block in its place, or takes the host away when nothing is left of it.
RouteTable RouteTable::with_block(std::string_view name, HostBlockPtr block) const {
  auto next = std::make_shared<State>(*state_);
  const HostBlock* old = state_->block(name);
  const bool empty = !block->declared() && block->route_count() == 0;
  next->routes += block->route_count();
  next->routes -= old == nullptr ? 0 : old->route_count();
  next->passthroughs += passes_through(block.get()) ? 1 : 0;
  next->passthroughs -= passes_through(old) ? 1 : 0;
  if (empty) block = nullptr;
  if (name == "*") {
    next->any = std::move(block);
  } else if (!is_wildcard(name)) {
    next->exact = empty ? next->exact.without(name) : next->exact.with(name, std::move(block));
  } else {
    const std::string_view suffix = name.substr(1);
    if (old == nullptr && !empty) next->wildcard_depths.add(dots_in(suffix));
    if (old != nullptr && empty) next->wildcard_depths.remove(dots_in(suffix));
    next->wildcards =
        empty ? next->wildcards.without(suffix) : next->wildcards.with(suffix, std::move(block));
  }
  RouteTable out;
  out.state_ = std::move(next);
  return out;
}

RouteTable::RouteTable() {
  static const std::shared_ptr<const State> empty = std::make_shared<const State>();
  state_ = empty;
}
RouteTable::RouteTable(const RouteTable&) = default;
RouteTable& RouteTable::operator=(const RouteTable&) = default;
RouteTable::~RouteTable() = default;

RouteTable RouteTable::with_host(model::Host host) const {
  const std::string name = base::to_lower(host.name);
  auto block = copy_or_make(state_->block(name), host.table, name);
  host.name = name;
  block->declare(std::move(host));
  return with_block(name, std::move(block));
}

RouteTable RouteTable::without_host(std::string_view name) const {
  const std::string lower = base::to_lower(name);
  const HostBlock* old = state_->block(lower);
  if (old == nullptr || !old->declared()) return *this;
  auto block = std::make_shared<HostBlock>(*old);
  block->undeclare();
  return with_block(lower, std::move(block));
}

base::Result<RouteTable> RouteTable::with_route(RouteTargetPtr target) const {
  const std::string name = base::to_lower(target->route().host);
  const std::string table = target->route().table;
  auto route = CompiledRoute::compile(std::move(target));
  if (!route.ok()) return std::move(route).error();
  auto block = copy_or_make(state_->block(name), table, name);
  block->add(std::move(route).value());
  return with_block(name, std::move(block));
}

RouteTable RouteTable::without_route(std::string_view host, std::string_view id) const {
  const std::string name = base::to_lower(host);
  const HostBlock* old = state_->block(name);
  if (old == nullptr || old->route(id) == nullptr) return *this;
  auto block = std::make_shared<HostBlock>(*old);
  block->remove(id);
  return with_block(name, std::move(block));
}

RouteTable::Ahead RouteTable::ahead(std::string_view host) const {
  Ahead out;
  const HostName name(host);
  if (!name.valid()) return out;
  out.state_ = state_.get();
  out.hash_ = base::hash_bytes(name.text());
  return out;
}

void RouteTable::Ahead::step(unsigned number) {
  if (state_ == nullptr) return;
  if (number == 0) {
    state_->exact.fetch(hash_);
  } else if (number == 1) {
    block_ = state_->exact.fetch_value(hash_);
  } else if (block_ != nullptr) {
    block_->fetch();
  }
}

Decision RouteTable::find(const RequestKey& request) const {
  const SplitRequest split(request);
  return state_->decide(
      split, [&](std::string_view path) { return state_->match_path(split, path); },
      [](std::string_view, const Decision&) {});
}

const std::vector<std::string>* RouteTable::certificates(std::string_view server_name) const {
  const std::vector<std::string>* found = nullptr;
  const HostName name(server_name);
  if (!name.valid()) return nullptr;
  state_->for_each_host(name.text(), [&found](const HostBlock& block) {
    if (!block.host().certificates.empty()) found = &block.host().certificates;
    return found != nullptr;
  });
  return found;
}

const model::Host* RouteTable::serving(std::string_view name) const {
  const model::Host* found = nullptr;
  const HostName host(name);
  if (!host.valid()) return nullptr;
  state_->for_each_host(host.text(), [&found](const HostBlock& block) {
    if (block.route_count() > 0) found = &block.host();
    return found != nullptr;
  });
  return found;
}

const model::StreamRule* RouteTable::passthrough(std::string_view server_name) const {
  if (state_->passthroughs == 0 || server_name.empty()) return nullptr;
  const HostName name(server_name);
  if (!name.valid()) return nullptr;
  const HostBlock* owner = nullptr;
  state_->for_each_host(name.text(), [&owner](const HostBlock& block) {
    const bool claims =
        passes_through(&block) || !block.host().certificates.empty() || block.route_count() > 0;
    if (claims) owner = &block;
    return claims;
  });
  return passes_through(owner) ? &*owner->host().passthrough : nullptr;
}

bool RouteTable::has_passthrough() const { return state_->passthroughs > 0; }

RouteTargetPtr RouteTable::target(std::string_view host, std::string_view id) const {
  const HostBlock* block = state_->block(base::to_lower(host));
  const CompiledRoute* route = block == nullptr ? nullptr : block->route(id);
  return route == nullptr ? nullptr : route->shared_target();
}

const model::Host* RouteTable::host(std::string_view name) const {
  const HostBlock* block = state_->block(base::to_lower(name));
  return block == nullptr ? nullptr : &block->host();
}

std::size_t RouteTable::host_count() const {
  return state_->exact.size() + state_->wildcards.size() + (state_->any == nullptr ? 0 : 1);
}

std::size_t RouteTable::route_count() const { return state_->routes; }

std::vector<RouteTargetPtr> RouteTable::routes() const {
  std::vector<RouteTargetPtr> out;
  out.reserve(state_->routes);
  const auto collect = [&out](const HostBlock& block) {
    block.for_each([&out](const CompiledRoute& route) { out.push_back(route.shared_target()); });
  };
  state_->exact.for_each([&](std::string_view, const HostBlock& block) { collect(block); });
  state_->wildcards.for_each([&](std::string_view, const HostBlock& block) { collect(block); });
  if (state_->any != nullptr) collect(*state_->any);
  return out;
}

}  // namespace weir::routing
