#pragma once

#include <cstddef>

#include "dataplane/listener/connection.h"

namespace weir::listener {

// How many connections to close at a time when something runs out: a part, so that looking for the
// oldest costs each accept little however many are open.
std::size_t shed_batch(const ConnectionHome& home);

// Closes up to `most` connections on which no request is served, those first that have waited
// longest; none that has not been served yet and is less than a second old.
//   returns: how many.
std::size_t shed_waiting(ConnectionHome& home, std::size_t most, const char* why);

}  // namespace weir::listener
