#include "controller/annotations/row.h"

// The features in the order in which their filters act: one line each.

namespace weir::annotations {

extern const Feature kHsts;
extern const Feature kRedirectHttps;
extern const Feature kIpAccess;
extern const Feature kRateLimit;
extern const Feature kBodySize;
extern const Feature kBasicAuth;
extern const Feature kSslPassthrough;
extern const Feature kBackendProtocol;
extern const Feature kGrpcWeb;
extern const Feature kAuthTls;
extern const Feature kProxySsl;
extern const Feature kTimeouts;
extern const Feature kNextUpstream;
extern const Feature kLoadBalance;
extern const Feature kAffinity;
extern const Feature kHealthCheck;
extern const Feature kCircuitLimits;

const std::vector<const Feature*>& features() {
  static const std::vector<const Feature*> table = {
      &kRedirectHttps, &kAuthTls,        &kIpAccess,    &kRateLimit,       &kBodySize,
      &kBasicAuth,     &kGrpcWeb,        &kHsts,        &kBackendProtocol, &kProxySsl,
      &kTimeouts,      &kNextUpstream,   &kLoadBalance, &kAffinity,        &kHealthCheck,
      &kCircuitLimits, &kSslPassthrough,
  };
  return table;
}

}  // namespace weir::annotations
