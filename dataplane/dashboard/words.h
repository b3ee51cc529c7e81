#pragma once

#include <string>
#include <string_view>

#include "common/model/route.h"
#include "dataplane/upstream/cluster.h"

namespace weir::dashboard {

// The words that every page has for the same thing.

// "serving", "failed its check" or "ejected", now.
std::string_view state_of(const upstream::Endpoint& endpoint);
std::string_view kind_of(const model::PathMatch& match);  // "exact", "prefix", …
std::string owner_of(const model::Provenance& from);      // "Ingress shop/web"

}  // namespace weir::dashboard
