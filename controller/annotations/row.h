#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/cluster.h"
#include "common/model/route.h"
#include "controller/translate/unit.h"
#include "controller/translate/view.h"

namespace weir::annotations {

enum class Scope : std::uint8_t { kPath, kHost, kUpstream };
enum class Risk : std::uint8_t { kLow, kMedium, kHigh, kCritical };

// One annotation key of one feature, for parsing, reports and the generated reference.
struct Row {
  std::string_view key;      // without prefix: "ssl-redirect"
  std::string_view aliases;  // further keys, separated by ','
  Scope scope = Scope::kPath;
  Risk risk = Risk::kLow;
  std::string_view value;  // accepted form: "true or false"
  std::string_view help;   // one sentence
  bool ours = false;       // Weir's own: ingress-nginx has no such key
};

inline constexpr std::string_view kDefaultPrefix = "nginx.ingress.kubernetes.io";
inline constexpr std::string_view kOwnPrefix = "weir.ingress";

// What holds where no annotation says otherwise, from flags; ingress-nginx's defaults.
struct Defaults {
  std::string prefix{kDefaultPrefix};  // --annotations-prefix
  bool ssl_redirect = true;
  std::uint16_t redirect_code = 308;  // 301, 302, 307 or 308
  std::uint16_t https_port = 443;     // public
  // Ingress paths that begin so are never redirected: certificate challenges come over plain HTTP.
  std::vector<std::string> no_redirect_paths = {"/.well-known/acme-challenge"};
  std::uint64_t body_size = 1'048'576;  // bytes; 0: no limit
  bool hsts = true;
  std::uint16_t limit_rate_status = 503;         // 400..599
  std::uint16_t limit_connections_status = 503;  // 400..599
};

struct HostClientTls;  // auth_tls.h

// What a feature sees of the Ingress whose routes are being built.
struct FeatureInput {
  const Defaults& defaults;
  const store::Ingress& ingress;
  const store::IngressPath* path = nullptr;  // null for the default backend
  std::string_view host;                     // "*" for host-less rules
  bool host_has_tls = false;                 // any Ingress of the host has a tls section
  translate::View& view;
  const HostClientTls* client_tls = nullptr;  // of the host; null: none of its Ingresses has any
};

// What it adds to the route.
struct FeatureOutput {
  std::vector<model::ResourcePtr> policies;
  std::string
      deny_reason;  // not empty: the route answers 503 (a broken security setting fails closed)
  std::vector<translate::Report> reports;
  // What has no behaviour of its own in the exchange is a typed field of the model: these begin
  // with the defaults and end in the route and in the cluster of its backend. Of the cluster only
  // settings are taken; what it is called and which Service it stands for is not the feature's.
  model::RouteTimeouts timeouts;
  model::RetryRule retry;
  std::string hash_on;  // of the route, as is the cookie
  std::optional<model::SessionCookie> cookie;
  model::Cluster cluster;
  std::vector<translate::UnitKey> wants;  // units that the settings name (certificates, trusts)
};

// One feature: its rows and the function that turns annotations (with the global defaults) into
// policies. One file each; the list is table.cc.
struct Feature {
  std::string_view stem;
  std::vector<Row> rows;
  void (*translate)(const FeatureInput& input, FeatureOutput& out);
};

const std::vector<const Feature*>& features();  // table.cc, in the order of the filters

}  // namespace weir::annotations
