#include "controller/annotations/ssl_passthrough.h"

// TLS of the host is passed on to the backend of "/" as it is.

namespace weir::annotations {
namespace {

// The host's builder acts, and tells of a bad value.
void translate_ssl_passthrough(const FeatureInput&, FeatureOutput&) {}

}  // namespace

bool wants_passthrough(const FeatureInput& input, FeatureOutput& out) {
  return read_bool(input, kSslPassthroughKey, false, out);
}

extern const Feature kSslPassthrough;
const Feature kSslPassthrough = {
    "ssl_passthrough",
    {{.key = kSslPassthroughKey,
      .aliases = "",
      .scope = Scope::kHost,
      .risk = Risk::kLow,
      .value = "true or false (false)",
      .help = "Passes TLS of the host on to the backend of its path /, unopened; needs "
              "--enable-ssl-passthrough."}},
    translate_ssl_passthrough};

}  // namespace weir::annotations
