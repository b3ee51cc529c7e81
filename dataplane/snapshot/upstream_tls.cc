#include "dataplane/snapshot/upstream_tls.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/crypto/digest.h"

namespace weir::snapshot {
namespace {

constexpr std::uint32_t kDeepest = 100;

std::string alpn_of(model::UpstreamProtocol protocol) {
  return protocol == model::UpstreamProtocol::kHttp2 ? "\x02h2" : "\x08http/1.1";
}

bool allows(const model::UpstreamTls& tls, model::TlsVersion version) {
  return tls.protocols.empty() ||
         std::find(tls.protocols.begin(), tls.protocols.end(), version) != tls.protocols.end();
}

// What a certificate for a Service carries when nobody said another name.
std::vector<std::string> names_of(const model::Cluster& cluster) {
  if (!cluster.tls.sans.empty()) return cluster.tls.sans;
  if (!cluster.tls.server_name.empty()) return {cluster.tls.server_name};
  return {cluster.service + "." + cluster.ns + ".svc"};
}

void find_parts(Draft& draft, const model::Cluster& cluster, transport::UpstreamPolicy& policy) {
  const model::UpstreamTls& tls = cluster.tls;
  if (tls.verify) policy.trust = draft.next->trusts.share(tls.trust);
  if (tls.verify && policy.trust == nullptr) {
    policy.broken = "tls.trust: '" + tls.trust + "' is not there";
  }
  if (tls.client_certificate.empty()) return;
  policy.certificate = draft.next->certificates.share(tls.client_certificate);
  if (policy.certificate != nullptr) return;
  policy.broken = "tls.client_certificate: '" + tls.client_certificate + "' is not there";
}

std::string id_of(const model::Cluster& cluster, const transport::UpstreamPolicy& policy) {
  crypto::Sha256 digest;
  const auto add = [&digest](std::string_view part) {
    digest.add(std::to_string(part.size()) + ":");
    digest.add(part);
  };
  add(base::encode(cluster.tls).to_string());
  for (const std::string& name : policy.names) add(name);
  add(policy.alpn);
  add(policy.broken);
  add(policy.trust == nullptr ? "" : policy.trust->hash);
  if (policy.certificate != nullptr) {
    for (const std::string& link : policy.certificate->chain) add(link);
  }
  return base::hex(digest.finish().substr(0, 16));
}

}  // namespace

transport::UpstreamPolicyPtr compile_tls(Draft& draft, const model::Cluster& cluster) {
  const model::UpstreamTls& tls = cluster.tls;
  if (!tls.enabled) return nullptr;
  auto policy = std::make_shared<transport::UpstreamPolicy>();
  policy->server_name = tls.server_name;
  policy->verify = tls.verify;
  policy->depth = static_cast<int>(std::min(tls.verify_depth, kDeepest));
  policy->names = names_of(cluster);
  policy->tls12 = allows(tls, model::TlsVersion::kTls12);
  policy->tls13 = allows(tls, model::TlsVersion::kTls13);
  policy->ciphers = tls.ciphers;
  policy->alpn = alpn_of(cluster.protocol);
  find_parts(draft, cluster, *policy);
  if (!policy->broken.empty()) draft.degrade(model::key_of(cluster), policy->broken);
  policy->id = id_of(cluster, *policy);
  return policy;
}

bool tls_changed(const Draft& draft, const model::UpstreamTls& tls) {
  const auto touched = [&draft](model::ResourceType type, const std::string& name) {
    return !name.empty() && draft.changes.of(type).contains(name);
  };
  return tls.enabled && (touched(model::ResourceType::kTrust, tls.trust) ||
                         touched(model::ResourceType::kCertificate, tls.client_certificate));
}

}  // namespace weir::snapshot
