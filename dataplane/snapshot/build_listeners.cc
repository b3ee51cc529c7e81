#include <map>

#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {
namespace {

bool check_binds(Draft& draft, const model::ResourceKey& key, const model::Listener& listener) {
  for (std::size_t i = 0; i < listener.binds.size(); ++i) {
    const model::Bind& bind = listener.binds[i];
    const std::string place = "binds[" + std::to_string(i) + "]";
    if (bind.port == 0) {
      draft.error(key, place + ".port: 0 is not in 1..65535");
      return false;
    }
    if (bind.udp != (listener.protocol == model::ListenerProtocol::kUdp)) {
      draft.error(key, place + ".udp: true for protocol udp, false for any other");
      return false;
    }
    const auto address = base::SocketAddress::parse(bind.address, bind.port);
    if (address.ok()) continue;
    draft.error(key, place + ".address: " + address.error().text);
    return false;
  }
  return true;
}

// Two listeners on one bind: the later by name is refused, whichever of them changed.
void check_clashes(Draft& draft) {
  std::map<std::string, const model::Listener*> by_name;
  draft.next->listeners.for_each([&](std::string_view name, const model::Listener& listener) {
    by_name.emplace(name, &listener);
  });
  std::map<std::tuple<std::string, std::uint16_t, bool>, std::string> owners;
  for (const auto& [name, listener] : by_name) {
    for (const model::Bind& bind : listener->binds) {
      const auto [at, fresh] = owners.emplace(std::tuple(bind.address, bind.port, bind.udp), name);
      if (fresh) continue;
      draft.error({model::ResourceType::kListener, name},
                  "bind " + bind.address + " port " + std::to_string(bind.port) +
                      " belongs to listener '" + at->second + "'");
    }
  }
}

void add_listener(Draft& draft, const model::Resource& resource) {
  auto read = draft.read<model::Listener>(resource);
  if (!read || !check_binds(draft, resource.key, *read)) return;
  for (const std::string& certificate : read->default_certificates) {
    if (draft.next->certificates.find(certificate) != nullptr) continue;
    draft.degrade(resource.key, "default_certificates: '" + certificate + "' is not there");
  }
  check_clusters(draft, resource.key, read->stream);
  auto listener = std::make_shared<const model::Listener>(*std::move(read));
  draft.next->listeners = draft.next->listeners.with(resource.key.name, std::move(listener));
}

}  // namespace

void build_listeners(Draft& draft) {
  const Changes::ByName& changes = draft.changes.of(model::ResourceType::kListener);
  for (const auto& [name, change] : changes) {
    if (change.after == nullptr) {
      draft.next->listeners = draft.next->listeners.without(name);
    } else {
      add_listener(draft, *change.after);
    }
  }
  if (!changes.empty()) check_clashes(draft);
}

}  // namespace weir::snapshot
