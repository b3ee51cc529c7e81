#include "common/model/resource.h"

#include "common/base/text.h"
#include "common/crypto/digest.h"

namespace weir::model {
namespace {

constexpr std::size_t kHashBytes = 16;

// Length-prefixed, so that no two different lists give the same bytes.
void add_part(crypto::Sha256& digest, std::string_view part) {
  const std::string size = std::to_string(part.size()) + ":";
  digest.add(size);
  digest.add(part);
}

std::string short_hash(crypto::Sha256& digest) {
  return base::hex(digest.finish().substr(0, kHashBytes));
}

}  // namespace

std::string ResourceKey::to_string() const {
  return std::string(enum_names(type)[static_cast<std::size_t>(type)]) + " " + name;
}

ResourceKey key_of(const Settings& value) { return {ResourceType::kSettings, value.name}; }
ResourceKey key_of(const TicketKeys& value) { return {ResourceType::kTicketKeys, value.name}; }
ResourceKey key_of(const Policy& value) {
  return {ResourceType::kPolicy, value.stem + "/" + value.hash};
}
ResourceKey key_of(const Certificate& value) { return {ResourceType::kCertificate, value.name}; }
ResourceKey key_of(const Trust& value) { return {ResourceType::kTrust, value.name}; }
ResourceKey key_of(const Endpoints& value) { return {ResourceType::kEndpoints, value.cluster}; }
ResourceKey key_of(const Cluster& value) { return {ResourceType::kCluster, value.name}; }
ResourceKey key_of(const Host& value) {
  return {ResourceType::kHost, value.table + "/" + value.name};
}
ResourceKey key_of(const Route& value) {
  return {ResourceType::kRoute, value.table + "/" + value.host + "/" + value.id};
}
ResourceKey key_of(const Listener& value) { return {ResourceType::kListener, value.name}; }

std::string resource_hash(const ResourceKey& key, std::string_view json,
                          const std::vector<std::string>& blobs) {
  crypto::Sha256 digest;
  add_part(digest, key.to_string());
  add_part(digest, json);
  for (const std::string& blob : blobs) add_part(digest, blob);
  return short_hash(digest);
}

ResourcePtr make_policy(std::string_view stem, std::uint32_t revision, std::string settings_json,
                        std::vector<std::string> secrets) {
  std::vector<std::string> blobs;
  blobs.push_back(std::move(settings_json));
  for (std::string& secret : secrets) blobs.push_back(std::move(secret));
  crypto::Sha256 digest;
  for (const std::string& blob : blobs) add_part(digest, blob);
  Policy policy;
  policy.stem = stem;
  policy.revision = revision;
  policy.hash = short_hash(digest);
  return make_resource(policy, std::move(blobs));
}

}  // namespace weir::model
