#include "dataplane/listener/gate.h"

namespace weir::listener {

std::shared_ptr<const Served> Gate::served() {
  if (!draining_ && version_ != live_->version) refresh();
  return served_;
}

void Gate::start_drain() {
  served();
  const model::Listener* listener = live_->listeners.find(listener_);
  if (listener != nullptr) last_certificates_ = listener->default_certificates;
  draining_ = true;
}

void Gate::refresh() {
  version_ = live_->version;
  const model::Listener* listener = live_->listeners.find(listener_);
  if (listener == nullptr || listener->protocol == model::ListenerProtocol::kUdp) {
    served_ = nullptr;
    return;
  }
  Served now;
  now.facts.name = listener->name;
  now.facts.route_table = listener->route_table;
  now.facts.hostname = listener->hostname;
  now.facts.public_port = listener->public_port != 0 ? listener->public_port : port_;
  now.tls = listener->protocol == model::ListenerProtocol::kHttps;
  now.passes_tcp = listener->protocol == model::ListenerProtocol::kTcp;
  now.passes_tls = listener->protocol == model::ListenerProtocol::kTls;
  now.proxy_protocol = listener->proxy_protocol;
  if (now.passes_tcp) now.stream = listener->stream;
  if (served_ == nullptr || !(*served_ == now)) served_ = std::make_shared<Served>(std::move(now));
}

const routing::RouteTable* Gate::table() const {
  const model::Listener* listener = live_->listeners.find(listener_);
  if (listener != nullptr) return live_->tables.find(listener->route_table);
  return served_ == nullptr ? nullptr : live_->tables.find(served_->facts.route_table);
}

bool Gate::asks_for_name() const {
  const routing::RouteTable* known = table();
  return known != nullptr && known->has_passthrough();
}

const model::StreamRule* Gate::passthrough(std::string_view server_name) const {
  const routing::RouteTable* known = table();
  return known == nullptr ? nullptr : known->passthrough(server_name);
}

bool Gate::add(const std::vector<std::string>& names,
               std::vector<std::shared_ptr<const transport::CertificateEntry>>& out) const {
  for (const std::string& name : names) {
    if (auto entry = live_->certificates.share(name)) out.push_back(std::move(entry));
  }
  return !out.empty();
}

transport::ClientPolicyPtr Gate::client_policy(std::string_view server_name) const {
  const routing::RouteTable* hosts = table();
  return exchange::client_policy_of(*live_,
                                    hosts == nullptr ? nullptr : hosts->serving(server_name));
}

void Gate::choose(std::string_view server_name,
                  std::vector<std::shared_ptr<const transport::CertificateEntry>>& out) const {
  const model::Listener* listener = live_->listeners.find(listener_);
  if (listener == nullptr && served_ == nullptr) return;
  const routing::RouteTable* hosts = table();
  const auto* names =
      hosts == nullptr || server_name.empty() ? nullptr : hosts->certificates(server_name);
  if (names != nullptr && add(*names, out)) return;
  add(listener != nullptr ? listener->default_certificates : last_certificates_, out);
}

}  // namespace weir::listener
