#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weirctl/configuration.h"

namespace weir::weirctl {

// What requests a route takes ("table/host" and match) and the route that serves them, in the order
// in which people read them. Left out is what only says 404. Borrows from the configuration.
std::map<std::string, const model::Route*> places_of(const Configuration& configuration);

// "shop.test prefix /cart, method GET"
std::string place_text(const model::Route& route);
// "Ingress shop/web"
std::string owner_of(const model::Route& route);

// The route of `configuration` that takes a request made for this route, or null: 404. Empty: none
// can be made up, because a condition is a regular expression.
std::optional<const model::Route*> taker_of(const Configuration& configuration,
                                            const model::Route& route);

}  // namespace weir::weirctl
