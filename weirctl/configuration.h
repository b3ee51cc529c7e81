#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"
#include "common/model/listener.h"
#include "common/routing/route_table.h"
#include "controller/annotations/row.h"
#include "controller/publish/pipeline.h"

namespace weir::weirctl {

// What weirctl asks questions of: what serves traffic, compiled by the code that serves it. From
// objects (a folder or a cluster, translated here by the controller's own code) or from a live
// dataplane's dump. JSON parts are for people: sorted, without keys and secrets.
struct Configuration {
  std::string source;  // "folder examples/hello", "cluster https://10.0.0.1:6443 (context prod)"
  std::string why;     // this one was asked
  std::map<std::string, routing::RouteTable> tables;  // by name
  std::map<std::string, model::Listener> listeners;   // by name
  std::map<std::string, base::Json> clusters;         // settings, by name
  std::map<std::string, base::Json> endpoints;        // by cluster: list of {id, …, from, healthy}
  std::map<std::string, base::Json> certificates;     // by name: names, not_after, fingerprint
  base::Json settings;  // all of them, as a WeirSettings would say them; null: from a dump
  std::map<std::string, base::Json> policies;      // settings, by "stem/hash"; not from a dump
  std::map<std::string, std::string> unavailable;  // "host/route id" -> why it answers 503
  // Keys of the annotations of each Ingress "namespace/name"; not from a dump.
  std::map<std::string, std::vector<std::string>> annotations;
  std::vector<translate::Report> reports;       // not from a dump
  std::map<std::string, std::string> not_seen;  // what the source could not give: kind -> reason
};

// What the pipeline has built.
//   errors: kInvalid: a resource that does not decode, which is a mistake of ours.
base::Result<Configuration> from_pipeline(const publish::Pipeline& pipeline);
// dump: the answer of the dataplane's dump socket.
//   errors: kInvalid naming the part that does not decode.
base::Result<Configuration> from_dump(const base::Json& dump);

}  // namespace weir::weirctl
