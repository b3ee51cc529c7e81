#include "controller/annotations/row.h"

// The features in the order in which their filters act: one line each.

namespace weir::annotations {

extern const Feature kHsts;
extern const Feature kRedirectHttps;
extern const Feature kBodySize;
extern const Feature kBasicAuth;
extern const Feature kBackendProtocol;

const std::vector<const Feature*>& features() {
  static const std::vector<const Feature*> table = {
      &kRedirectHttps, &kBodySize, &kBasicAuth, &kHsts, &kBackendProtocol,
  };
  return table;
}

}  // namespace weir::annotations
