#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/certificate.h"
#include "common/model/cluster.h"
#include "common/model/listener.h"
#include "common/model/policy.h"
#include "common/model/route.h"
#include "common/model/settings.h"
#include "common/model/trust.h"

namespace weir::model {

// What the controller tells the dataplane. The order is make before break: a transaction sends
// upserts in this order, then removals in the opposite one.
enum class ResourceType : std::uint8_t {
  kSettings,
  kTicketKeys,
  kPolicy,
  kCertificate,
  kTrust,
  kEndpoints,
  kCluster,
  kHost,
  kRoute,
  kListener,
};
inline constexpr std::size_t kResourceTypes = 10;
inline base::EnumNames enum_names(ResourceType) {
  return {"settings",  "ticket_keys", "policy", "certificate", "trust",
          "endpoints", "cluster",     "host",   "route",       "listener"};
}

struct ResourceKey {
  ResourceType type = ResourceType::kSettings;
  std::string name;
  auto operator<=>(const ResourceKey&) const = default;
  std::string to_string() const;  // "route main/shop.example.test/…"
};

// A resource as it travels and as it is compared: JSON from the field list, raw blobs beside it
// (keys and certificates are never base64), and the hash of both. Immutable once made; shared
// between the desired state and sessions.
struct Resource {
  ResourceKey key;
  std::string json;
  std::vector<std::string> blobs;
  std::string hash;  // 32 hex digits: SHA-256 over key, json and blobs, cut to 16 bytes
};
using ResourcePtr = std::shared_ptr<const Resource>;

ResourceKey key_of(const Settings& value);
ResourceKey key_of(const TicketKeys& value);
ResourceKey key_of(const Policy& value);  // "stem/hash"
ResourceKey key_of(const Certificate& value);
ResourceKey key_of(const Trust& value);
ResourceKey key_of(const Endpoints& value);
ResourceKey key_of(const Cluster& value);
ResourceKey key_of(const Host& value);   // "table/host"
ResourceKey key_of(const Route& value);  // "table/host/id"
ResourceKey key_of(const Listener& value);

// Hash over key, json and blobs as Resource::hash describes. Any thread.
std::string resource_hash(const ResourceKey& key, std::string_view json,
                          const std::vector<std::string>& blobs);

// Makes the travelling form of a typed value. Any thread.
template <typename T>
ResourcePtr make_resource(const T& value, std::vector<std::string> blobs = {}) {
  auto out = std::make_shared<Resource>();
  out->key = key_of(value);
  out->json = base::encode(value).to_string();
  out->blobs = std::move(blobs);
  out->hash = resource_hash(out->key, out->json, out->blobs);
  return out;
}

// The way back.
//   errors: kInvalid naming the resource, the field and the accepted form.
template <typename T>
base::Result<T> read_resource(const Resource& resource) {
  auto json = base::Json::parse(resource.json);
  if (!json.ok()) return std::move(json).error().within(resource.key.to_string());
  auto value = base::decode<T>(json.value());
  if (!value.ok()) return std::move(value).error().within(resource.key.to_string());
  return value;
}

// Interns the settings of one feature: the policy resource whose key is "stem/hash". secrets:
// further blobs.
ResourcePtr make_policy(std::string_view stem, std::uint32_t revision, std::string settings_json,
                        std::vector<std::string> secrets = {});

}  // namespace weir::model
