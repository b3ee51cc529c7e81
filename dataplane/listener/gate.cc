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
  const bool http = listener != nullptr && (listener->protocol == model::ListenerProtocol::kHttp ||
                                            listener->protocol == model::ListenerProtocol::kHttps);
  if (!http) {
    served_ = nullptr;
    return;
  }
  Served now;
  now.facts.name = listener->name;
  now.facts.route_table = listener->route_table;
  now.facts.hostname = listener->hostname;
  now.facts.public_port = listener->public_port != 0 ? listener->public_port : port_;
  now.tls = listener->protocol == model::ListenerProtocol::kHttps;
  if (served_ == nullptr || !(*served_ == now)) served_ = std::make_shared<Served>(std::move(now));
}

bool Gate::add(const std::vector<std::string>& names,
               std::vector<std::shared_ptr<const transport::CertificateEntry>>& out) const {
  for (const std::string& name : names) {
    if (auto entry = live_->certificates.share(name)) out.push_back(std::move(entry));
  }
  return !out.empty();
}

void Gate::choose(std::string_view server_name,
                  std::vector<std::shared_ptr<const transport::CertificateEntry>>& out) const {
  const model::Listener* listener = live_->listeners.find(listener_);
  if (listener == nullptr && served_ == nullptr) return;
  const routing::RouteTable* table =
      live_->tables.find(listener != nullptr ? listener->route_table : served_->facts.route_table);
  const auto* names =
      table == nullptr || server_name.empty() ? nullptr : table->certificates(server_name);
  if (names != nullptr && add(*names, out)) return;
  add(listener != nullptr ? listener->default_certificates : last_certificates_, out);
}

}  // namespace weir::listener
