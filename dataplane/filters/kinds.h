#pragma once

#include "dataplane/exchange/filter.h"

namespace weir::filters {

// How each feature is made, one line per file of this folder; order.cc lists them.
base::Result<exchange::FilterPtr> make_auth_tls(const model::Resource& policy);
base::Result<exchange::FilterPtr> make_basic_auth(const model::Resource& policy);
base::Result<exchange::FilterPtr> make_body_size(const model::Resource& policy);
base::Result<exchange::FilterPtr> make_grpc_web(const model::Resource& policy);
base::Result<exchange::FilterPtr> make_hsts(const model::Resource& policy);
base::Result<exchange::FilterPtr> make_ip_access(const model::Resource& policy);
base::Result<exchange::FilterPtr> make_rate_limit(const model::Resource& policy);
base::Result<exchange::FilterPtr> make_redirect_https(const model::Resource& policy);

}  // namespace weir::filters
