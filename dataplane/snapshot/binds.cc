#include "dataplane/snapshot/binds.h"

#include <algorithm>

#include "common/base/log.h"

namespace weir::snapshot {
namespace {

std::string bind_text(const model::Bind& bind) {
  const auto address = base::SocketAddress::parse(bind.address, bind.port);
  const std::string text = address.ok() ? address.value().to_string() : bind.address;
  return bind.udp ? text + "/udp" : text;
}

}  // namespace

Binds::Wanted Binds::wanted(const exchange::Snapshot& snapshot) {
  Wanted out;
  snapshot.listeners.for_each([&](std::string_view name, const model::Listener& listener) {
    for (const model::Bind& bind : listener.binds) {
      out.emplace(Key(std::string(name), bind_text(bind)), bind);
    }
  });
  return out;
}

void Binds::close_unwanted(const Wanted& wanted, std::vector<SocketChange>& out) {
  for (auto at = open_.begin(); at != open_.end();) {
    const auto& [key, bind] = *at;
    if (wanted.count(key) != 0) {
      ++at;
      continue;
    }
    out.push_back({key.first, key.second, {}});
    // A bind that another listener takes over keeps its sockets with the supervisor.
    const bool moves = std::any_of(wanted.begin(), wanted.end(), [&key](const auto& one) {
      return one.first.second == key.second;
    });
    if (!moves) {
      if (const auto closed = source_.unlisten(bind); !closed.ok()) {
        base::log_warn("bind not released", {{"reason", closed.error().text}});
      }
    }
    at = open_.erase(at);
  }
}

base::Result<SocketChange> Binds::open(const Key& key, const model::Bind& bind) {
  auto sockets = source_.listen(bind, workers_);
  if (!sockets.ok()) return std::move(sockets).error();
  WEIR_CHECK(sockets.value().size() == workers_);
  open_.emplace(key, bind);
  return SocketChange{key.first, key.second, std::move(sockets).value()};
}

std::vector<SocketChange> Binds::follow(const exchange::Snapshot& snapshot,
                                        std::vector<wire::Reason>& failures) {
  std::vector<SocketChange> out;
  const Wanted all = wanted(snapshot);
  close_unwanted(all, out);
  failing_.clear();
  for (const auto& [key, bind] : all) {
    if (open_.count(key) != 0) continue;
    auto opened = open(key, bind);
    if (opened.ok()) {
      out.push_back(std::move(opened).value());
      continue;
    }
    failures.push_back({model::ResourceType::kListener, key.first, opened.error().text});
    failing_.emplace(key, bind);
  }
  return out;
}

std::vector<SocketChange> Binds::retry() {
  std::vector<SocketChange> out;
  for (auto at = failing_.begin(); at != failing_.end();) {
    auto opened = open(at->first, at->second);
    if (!opened.ok()) {
      ++at;
      continue;
    }
    out.push_back(std::move(opened).value());
    at = failing_.erase(at);
  }
  return out;
}

}  // namespace weir::snapshot
