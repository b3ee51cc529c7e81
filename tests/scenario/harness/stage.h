#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/scenario/harness/backends.h"
#include "tests/scenario/harness/manifests.h"
#include "tests/scenario/harness/weir.h"

namespace weir::scenario {

// Backends and the manifests that name them; becomes the first argument of Weir.
class Stage {
 public:
  Stage() { files["class.yaml"] = ingress_class(); }

  // A Service with fresh backends of these names.
  void serve(const std::string& name, const std::vector<std::string>& names) {
    for (const std::string& one : names) ports[one] = backends.add(one);
    files[file_of(name)] = service_of(name, names);
  }
  // The manifest of that Service with these (known) backends.
  std::string service_of(const std::string& name, const std::vector<std::string>& names) const {
    std::vector<std::uint16_t> out;
    for (const std::string& one : names) out.push_back(ports.at(one));
    return service(name, out);
  }
  static std::string file_of(const std::string& name) { return "service-" + name + ".yaml"; }

  Backends backends;
  std::map<std::string, std::uint16_t> ports;
  std::map<std::string, std::string> files;
};

}  // namespace weir::scenario
