#include "dataplane/exchange/misdirected.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/authority.h"
#include "common/base/text.h"

namespace weir::exchange {
namespace {

// name: of a certificate, "shop.test" or "*.test" for one label.
bool covers(std::string_view name, std::string_view host) {
  if (!name.starts_with("*.")) return base::equals_ignore_case(name, host);
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 &&
         base::equals_ignore_case(name.substr(1), host.substr(dot));
}

bool any_covers(const Snapshot& snapshot, const std::vector<std::string>& certificates,
                std::string_view host) {
  return std::any_of(certificates.begin(), certificates.end(), [&](const std::string& name) {
    const auto entry = snapshot.certificates.share(name);
    return entry != nullptr &&
           std::any_of(entry->facts.names.begin(), entry->facts.names.end(),
                       [host](const std::string& san) { return covers(san, host); });
  });
}

}  // namespace

bool misdirected(const Snapshot& snapshot, std::string_view route_table,
                 const transport::TlsFacts& tls, std::string_view authority) {
  const std::string_view host = base::without_port(authority);
  if (tls.server_name.empty() || base::equals_ignore_case(host, tls.server_name)) return false;
  const routing::RouteTable* table = snapshot.tables.find(std::string(route_table));
  if (table == nullptr) return false;
  const auto* wanted = table->certificates(host);
  if (wanted == nullptr || wanted->empty()) return false;
  const auto* served = table->certificates(tls.server_name);
  // Without certificates of its own the SNI's name was served with the listener's default ones.
  return served == nullptr || (*served != *wanted && !any_covers(snapshot, *served, host));
}

}  // namespace weir::exchange
