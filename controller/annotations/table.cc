#include "controller/annotations/row.h"

// The features in the order in which their filters act: one line each.

namespace weir::annotations {

extern const Feature kHsts;
extern const Feature kRedirectHttps;
extern const Feature kBodySize;
extern const Feature kBasicAuth;
extern const Feature kBackendProtocol;
extern const Feature kAuthTls;
extern const Feature kProxySsl;

const std::vector<const Feature*>& features() {
  static const std::vector<const Feature*> table = {
      &kRedirectHttps, &kAuthTls, &kBodySize, &kBasicAuth, &kHsts, &kBackendProtocol, &kProxySsl,
  };
  return table;
}

}  // namespace weir::annotations
