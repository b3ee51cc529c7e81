#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"
#include "common/routing/route_table.h"
#include "controller/admin/options.h"
#include "controller/translate/unit.h"

namespace weir::weirctl {

// What weirctl asks questions of: the routing tables that serve traffic, from a folder (translated
// here, by the controller's own code) or from a live dataplane's dump.
struct Configuration {
  std::map<std::string, routing::RouteTable> tables;          // by name
  std::map<std::string, std::vector<std::string>> endpoints;  // cluster -> "address:port"
  std::map<std::string, std::string> unavailable;  // "host/route id" -> why it answers 503
  std::vector<translate::Report> reports;          // folder only
};

// errors: kInvalid when the folder cannot be read within 10 s.
base::Result<Configuration> from_folder(const admin::Options& options);
// dump: the answer of the dataplane's dump socket.
//   errors: kInvalid naming the part that does not decode.
base::Result<Configuration> from_dump(const base::Json& dump);

// GET path over a Unix socket; the body of a 200 answer.
//   errors: kClosed naming the socket, or the status.
base::Result<std::string> fetch_unix(const std::string& socket, const std::string& path);

}  // namespace weir::weirctl
