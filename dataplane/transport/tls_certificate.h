#pragma once

#include "dataplane/transport/certificate_table.h"

struct ssl_ctx_st;

namespace weir::transport {

// Suites, groups, versions and modes that both sides of Weir have in common.
void set_common_options(ssl_ctx_st* context);
// Adds a certificate with its chain and key to a context. False: it cannot be used, and OpenSSL's
// error queue says why (empty: the key does not match).
bool use_certificate(ssl_ctx_st* context, const CertificateEntry& entry);

}  // namespace weir::transport
