#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/model/listener.h"
#include "common/model/resource.h"
#include "common/model/settings.h"
#include "controller/annotations/row.h"
#include "controller/ingress/ticket_keys.h"

namespace weir::ingress {

inline constexpr std::string_view kTable = "main";  // the route table of both listeners
inline constexpr std::string_view kDefaultCertificate = "default";

// How Ingresses are served, from flags (ingress-nginx's names in brackets).
struct Config {
  std::string controller_class = "weir.ingress/controller";  // [--controller-class]
  std::string ingress_class = "weir";                        // [--ingress-class]
  bool ingress_class_by_name = false;                        // [--ingress-class-by-name]
  bool watch_without_class = false;                          // [--watch-ingress-without-class]
  bool disable_catch_all = false;                            // [--disable-catch-all]
  std::string default_backend_service;  // "namespace/name", its first port; may be empty
  std::string default_ssl_certificate;  // "namespace/name" of a Secret; may be empty
  // Only for a source that is the user's own folder: an object of a cluster must not reach what
  // listens on our loopback.
  bool allow_loopback_endpoints = false;
  std::vector<model::Bind> http_binds;   // empty: no listener "http"
  std::vector<model::Bind> https_binds;  // empty: no listener "https"
  std::uint16_t http_public_port = 80;
  std::uint16_t https_public_port = 443;  // redirects name it
  model::Settings settings;               // of flags and defaults
  std::string settings_object;   // "namespace/name" of the WeirSettings over them; may be empty
  bool proxy_protocol = false;   // both listeners [--use-proxy-protocol]
  bool ssl_passthrough = false;  // the annotation counts [--enable-ssl-passthrough]
  std::string tcp_services;      // "namespace/name" of a ConfigMap [--tcp-services-configmap]
  std::string udp_services;      // likewise [--udp-services-configmap]
  model::StreamRule stream;      // what all streams have in common, without backends
  std::vector<std::string> stream_addresses;  // where their listeners are bound
  std::vector<std::uint16_t> reserved_ports;  // that no TCP stream may take
  annotations::Defaults annotations;          // its https_port is taken from https_public_port
  // The self-signed certificate named "default", made by the controller; null: none is emitted.
  model::ResourcePtr default_certificate;
  // "namespace/name" of the Secret that holds the replicas' ticket keys, or empty. own_tickets: of
  // this process alone, while there are no others; empty: then no keys are emitted.
  std::string ticket_keys_secret;
  TicketRing own_tickets;
  std::chrono::seconds ticket_period = kTicketPeriod;
  // "namespace/name" of a Secret whose key "key" signs debug requests; empty: there are none.
  std::string debug_key_secret;
};

// "namespace/name" in two; the parts are empty when there is no '/'.
struct NamePair {
  std::string ns;
  std::string name;
};
NamePair split_name(std::string_view text);

}  // namespace weir::ingress
