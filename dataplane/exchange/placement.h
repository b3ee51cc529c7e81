#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/model/balancing.h"
#include "common/model/key_template.h"
#include "dataplane/codec/head.h"

namespace weir::exchange {

struct ClientFacts;

// How a route places its requests on the endpoints of a cluster: by a key made from the request, or
// by a cookie. Compiled by snapshot/.
struct Placement {
  model::KeyTemplate key;  // empty: by the cookie
  std::optional<model::SessionCookie> cookie;
};

// The key of this request; empty when all of its variables are.
std::string key_of(const model::KeyTemplate& key, const codec::Head& request,
                   const ClientFacts& client);

// The key part ("key|tag") of the session cookie that came with the request, empty without one. A
// view into the request.
std::string_view session_key(std::string_view cookie_name, const codec::Head& request);

// The second part of a session cookie: names the Service port that issued it (ingress-nginx's
// md5(md5(name) + name)). cluster: "namespace/service/port", with or without "#settings".
std::string session_tag(std::string_view cluster);

// A key for a new session, in ingress-nginx's form: "time.process.random".
std::string new_session_key(base::WallTime now, std::uint64_t salt);

// What the Set-Cookie field of a session says besides its settings.
struct SessionFacts {
  std::string_view key;
  std::string_view tag;
  bool tls = false;
  std::string_view user_agent = {};
  base::WallTime now{};
};
std::string session_cookie(const model::SessionCookie& settings, const SessionFacts& facts);

}  // namespace weir::exchange
