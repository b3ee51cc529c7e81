#pragma once

#include <string>

#include "common/base/json.h"
#include "common/base/result.h"

namespace weir::weirctl {

inline constexpr const char* kDumpSocket = "/run/weir/dump.sock";

// GET path over a Unix socket; the body of a 200 answer.
//   errors: kClosed naming the socket, or the status.
base::Result<std::string> fetch_unix(const std::string& socket, const std::string& path);
// The live snapshot of the dataplane behind the socket.
base::Result<base::Json> fetch_dump(const std::string& socket);

}  // namespace weir::weirctl
