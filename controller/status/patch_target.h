#pragma once

#include "common/base/json.h"
#include "controller/store/object.h"

namespace weir::status {

// The object that a patch of the status is for, in the version that we have seen.
inline base::Json patch_target(const store::Object& object) {
  base::Json metadata = base::Json::object();
  metadata.set("namespace", object.key.ns);
  metadata.set("name", object.key.name);
  metadata.set("resourceVersion", object.resource_version);
  base::Json out = base::Json::object();
  out.set("metadata", std::move(metadata));
  return out;
}

}  // namespace weir::status
