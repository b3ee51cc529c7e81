#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"
#include "common/crypto/certificate.h"
#include "common/crypto/trust_bundle.h"

namespace weir::store {

// Kinds that Weir reads; each is one row in kinds.cc.
enum class Kind : std::uint8_t {
  kIngress,
  kIngressClass,
  kService,
  kEndpointSlice,
  kSecret,
  kConfigMap,
  kWeirSettings,
};
inline constexpr std::size_t kKinds = 7;

struct ObjectKey {
  Kind kind = Kind::kIngress;
  std::string ns;  // empty for cluster-scoped kinds
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
  std::string to_string() const;  // "Ingress shop/cart"
};

// What all kinds have in common. Immutable once in the store; shared by pointer. Typed objects
// derive from it and hold only what Weir reads.
struct Object {
  virtual ~Object() = default;
  ObjectKey key;
  std::string uid;
  std::string resource_version;  // opaque: compare for equality only
  std::int64_t created = 0;      // seconds since the epoch, 0: unknown
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};
using ObjectPtr = std::shared_ptr<const Object>;

// networking.k8s.io/v1 Ingress.
struct ServiceRef {
  std::string name;
  std::string port_name;  // exclusive with port_number
  std::int32_t port_number = 0;
};
struct IngressBackend {
  std::optional<ServiceRef> service;
  std::string resource;  // "kind/name" of backend.resource, which Weir reports and answers with 503
};
enum class PathType : std::uint8_t { kExact, kPrefix, kImplementationSpecific };
struct IngressPath {
  std::string path;
  PathType type = PathType::kImplementationSpecific;
  IngressBackend backend;
};
struct IngressRule {
  std::string host;  // lower case; empty: every host
  std::vector<IngressPath> paths;
};
struct IngressTls {
  std::vector<std::string> hosts;  // lower case
  std::string secret_name;
};
struct LoadBalancerAddress {
  std::string ip;
  std::string hostname;
  bool operator==(const LoadBalancerAddress&) const = default;
};
struct Ingress final : Object {
  std::optional<std::string> class_name;
  std::optional<IngressBackend> default_backend;
  std::vector<IngressRule> rules;
  std::vector<IngressTls> tls;
  std::vector<LoadBalancerAddress> status;  // what stands in status.loadBalancer now
};

struct IngressClass final : Object {
  std::string controller;
  bool is_default = false;
};

struct ServicePort {
  std::string name;
  std::int32_t port = 0;
  std::string target_port;  // number or name, as text
  std::string app_protocol;
  std::string protocol;  // "TCP"
};
struct Service final : Object {
  std::string type;  // "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"
  std::string external_name;
  std::vector<ServicePort> ports;
  std::vector<std::string> external_ips;
  std::vector<LoadBalancerAddress> status;
  std::string cluster_ip;
};

struct SliceEndpoint {
  std::string address;  // addresses[0]
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  std::string zone;
};
struct SlicePort {
  std::string name;
  std::int32_t port = 0;  // 0: all ports
  std::string protocol;
};
struct EndpointSlice final : Object {
  std::string service;  // label kubernetes.io/service-name
  std::string address_type;
  std::vector<SliceEndpoint> endpoints;
  std::vector<SlicePort> ports;
};

struct Secret final : Object {
  std::string type;
  std::map<std::string, std::string> data;  // decoded, without tls.crt and tls.key when both are
                                            // there, and without ca.crt and ca.crl
  // Parsed when tls.crt and tls.key are both there: the pair, or what is wrong with it.
  std::optional<base::Result<crypto::KeyPair>> key_pair;
  // Parsed when ca.crt is there: the bundle with ca.crl, or what is wrong with it.
  std::optional<base::Result<crypto::TrustBundle>> trust;
  // While there is no usable pair: the last version of this Secret that had one (last_good.h).
  std::shared_ptr<const Secret> last_good;
};

struct ConfigMap final : Object {
  std::map<std::string, std::string> data;
};

// weir.ingress/v1alpha1 WeirSettings. What its fields mean is controller/policies' part.
struct Condition {
  std::string type;
  std::string status;  // "True", "False" or "Unknown"
  std::string reason;
  std::string message;
  std::int64_t generation = 0;  // observedGeneration
  std::string since;            // lastTransitionTime, as it stands there
};
struct WeirSettings final : Object {
  std::int64_t generation = 0;  // 0: of a manifest, which has none
  base::Json spec = base::Json::object();
  std::vector<Condition> conditions;  // what stands in status.conditions now
};

}  // namespace weir::store
