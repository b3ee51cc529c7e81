#include "controller/annotations/known_keys.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace weir::annotations {
namespace {

// Sorted by key.
constexpr std::array<KnownKey, 138> kKnown = {{
    {"affinity"},
    {"affinity-canary-behavior"},
    {"affinity-mode"},
    {"allowlist-source-range", true},
    {"app-root"},
    {"auth-always-set-cookie"},
    {"auth-cache-duration"},
    {"auth-cache-key"},
    {"auth-keepalive"},
    {"auth-keepalive-requests"},
    {"auth-keepalive-share-vars"},
    {"auth-keepalive-timeout"},
    {"auth-method"},
    {"auth-proxy-set-headers"},
    {"auth-realm"},
    {"auth-request-redirect"},
    {"auth-response-headers"},
    {"auth-secret"},
    {"auth-secret-type"},
    {"auth-signin"},
    {"auth-signin-redirect-param"},
    {"auth-snippet"},
    {"auth-tls-error-page"},
    {"auth-tls-match-cn"},
    {"auth-tls-pass-certificate-to-upstream"},
    {"auth-tls-secret", true},
    {"auth-tls-verify-client"},
    {"auth-tls-verify-depth"},
    {"auth-type"},
    {"auth-url", true},
    {"backend-protocol"},
    {"canary"},
    {"canary-by-cookie"},
    {"canary-by-header"},
    {"canary-by-header-pattern"},
    {"canary-by-header-value"},
    {"canary-weight"},
    {"canary-weight-total"},
    {"client-body-buffer-size"},
    {"configuration-snippet"},
    {"connection-proxy-header"},
    {"cors-allow-credentials"},
    {"cors-allow-headers"},
    {"cors-allow-methods"},
    {"cors-allow-origin"},
    {"cors-expose-headers"},
    {"cors-max-age"},
    {"custom-headers"},
    {"custom-http-errors"},
    {"default-backend"},
    {"denylist-source-range", true},
    {"disable-proxy-intercept-errors"},
    {"enable-access-log"},
    {"enable-cors"},
    {"enable-global-auth"},
    {"enable-modsecurity"},
    {"enable-opentelemetry"},
    {"enable-owasp-core-rules"},
    {"enable-rewrite-log"},
    {"fastcgi-index"},
    {"fastcgi-params-configmap"},
    {"force-ssl-redirect"},
    {"from-to-www-redirect"},
    {"http2-push-preload"},
    {"limit-allowlist"},
    {"limit-burst-multiplier"},
    {"limit-connections"},
    {"limit-rate"},
    {"limit-rate-after"},
    {"limit-rpm"},
    {"limit-rps"},
    {"limit-whitelist"},
    {"load-balance"},
    {"mirror-host"},
    {"mirror-request-body"},
    {"mirror-target"},
    {"modsecurity-snippet"},
    {"modsecurity-transaction-id"},
    {"opentelemetry-operation-name"},
    {"opentelemetry-trust-incoming-span"},
    {"permanent-redirect"},
    {"permanent-redirect-code"},
    {"preserve-trailing-slash"},
    {"proxy-body-size"},
    {"proxy-buffer-size"},
    {"proxy-buffering"},
    {"proxy-buffers-number"},
    {"proxy-busy-buffers-size"},
    {"proxy-connect-timeout"},
    {"proxy-cookie-domain"},
    {"proxy-cookie-path"},
    {"proxy-http-version"},
    {"proxy-max-temp-file-size"},
    {"proxy-next-upstream"},
    {"proxy-next-upstream-timeout"},
    {"proxy-next-upstream-tries"},
    {"proxy-read-timeout"},
    {"proxy-redirect-from"},
    {"proxy-redirect-to"},
    {"proxy-request-buffering"},
    {"proxy-send-timeout"},
    {"proxy-ssl-ciphers"},
    {"proxy-ssl-name"},
    {"proxy-ssl-protocols"},
    {"proxy-ssl-secret"},
    {"proxy-ssl-server-name"},
    {"proxy-ssl-verify"},
    {"proxy-ssl-verify-depth"},
    {"relative-redirects"},
    {"rewrite-target"},
    {"satisfy"},
    {"server-alias"},
    {"server-snippet"},
    {"service-upstream"},
    {"session-cookie-change-on-failure"},
    {"session-cookie-conditional-samesite-none"},
    {"session-cookie-domain"},
    {"session-cookie-expires"},
    {"session-cookie-max-age"},
    {"session-cookie-name"},
    {"session-cookie-path"},
    {"session-cookie-samesite"},
    {"session-cookie-secure"},
    {"ssl-ciphers"},
    {"ssl-passthrough"},
    {"ssl-prefer-server-ciphers"},
    {"ssl-redirect"},
    {"stream-snippet"},
    {"temporal-redirect"},
    {"temporal-redirect-code"},
    {"upstream-hash-by"},
    {"upstream-hash-by-subset"},
    {"upstream-hash-by-subset-size"},
    {"upstream-vhost"},
    {"use-port-in-redirects"},
    {"use-regex"},
    {"whitelist-source-range", true},
    {"x-forwarded-prefix"},
}};

struct Hint {
  std::string_view key;
  std::string_view hint;
};

constexpr std::array<Hint, 9> kRemoved = {{
    {"secure-backends", "use backend-protocol: HTTPS"},
    {"grpc-backend", "use backend-protocol: GRPC"},
    {"add-base-url", "removed from ingress-nginx in 0.22; rewrite links in the application"},
    {"session-cookie-hash", "removed from ingress-nginx in 0.24; the cookie needs no hash setting"},
    {"enable-opentracing", "use enable-opentelemetry"},
    {"opentracing-trust-incoming-span", "use opentelemetry-trust-incoming-span"},
    {"rewrite-log", "use enable-rewrite-log"},
    {"enable-websockets", "not needed: WebSocket works without an annotation"},
    {"use-forwarded-headers", "a setting of the controller, never an annotation"},
}};

// Whole families of removed names.
constexpr std::array<Hint, 3> kRemovedPrefixes = {{
    {"global-rate-limit", "removed from ingress-nginx in 1.12; use limit-rps or limit-rpm"},
    {"influxdb-", "removed from ingress-nginx"},
    {"lua-resty-waf", "removed from ingress-nginx; use enable-modsecurity"},
}};

bool is_before(const KnownKey& one, std::string_view key) { return one.key < key; }

}  // namespace

const KnownKey* known_key(std::string_view key) {
  const auto found = std::lower_bound(kKnown.begin(), kKnown.end(), key, is_before);
  return found != kKnown.end() && found->key == key ? &*found : nullptr;
}

std::size_t known_key_count() { return kKnown.size(); }

std::string_view removed_key_hint(std::string_view key) {
  for (const Hint& one : kRemoved)
    if (one.key == key) return one.hint;
  for (const Hint& one : kRemovedPrefixes)
    if (key.starts_with(one.key)) return one.hint;
  return {};
}

}  // namespace weir::annotations
