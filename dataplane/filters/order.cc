#include "dataplane/filters/order.h"

#include "common/features/auth_tls.h"
#include "common/features/basic_auth.h"
#include "common/features/body_size.h"
#include "common/features/grpc_web.h"
#include "common/features/hsts.h"
#include "common/features/ip_access.h"
#include "common/features/rate_limit.h"
#include "common/features/redirect_https.h"
#include "dataplane/filters/kinds.h"

namespace weir::filters {

const std::vector<exchange::FilterKind>& filter_kinds() {
  static const std::vector<exchange::FilterKind> kinds = {
      // Before anything that asks for a secret: a password must not be sent in the clear because
      // we challenged for it (and ingress-nginx's redirects are never authenticated).
      {features::RedirectHttps::kStem, features::RedirectHttps::kRevision, &make_redirect_https},
      // Before all that looks at the request: who presents no certificate is told nothing else.
      {features::AuthTls::kStem, features::AuthTls::kRevision, &make_auth_tls},
      // Who is not let in is told so before anything is counted or read for them.
      {features::IpAccess::kStem, features::IpAccess::kRevision, &make_ip_access},
      // Before anything that costs: guessing passwords is limited too.
      {features::RateLimit::kStem, features::RateLimit::kRevision, &make_rate_limit},
      // Before authentication: it costs one comparison, a password hash costs milliseconds.
      {features::BodySize::kStem, features::BodySize::kRevision, &make_body_size},
      // Last before the upstream: whatever could refuse the request for less has had its say.
      {features::BasicAuth::kStem, features::BasicAuth::kRevision, &make_basic_auth},
      // Behind whatever refuses: what counts and judges the body sees it as the client sent it.
      {features::GrpcWeb::kStem, features::GrpcWeb::kRevision, &make_grpc_web},
      // Responses only, also those of the filters above; its place among them does not matter.
      {features::Hsts::kStem, features::Hsts::kRevision, &make_hsts},
  };
  return kinds;
}

}  // namespace weir::filters
