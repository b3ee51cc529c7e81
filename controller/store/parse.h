#pragma once

#include "common/base/json.h"
#include "common/base/result.h"
#include "controller/store/object.h"

namespace weir::store {

// One parser per kind, each in its own parse_*.cc; the table in kinds.cc names them. All take a raw
// item and give a typed, immutable object. Fields that Weir does not read are ignored; a field that
// it reads and cannot use refuses the whole object, and only that one.
//   errors: kInvalid as field_reader.h describes.
base::Result<ObjectPtr> parse_ingress(const base::Json& item);
base::Result<ObjectPtr> parse_ingress_class(const base::Json& item);
base::Result<ObjectPtr> parse_service(const base::Json& item);
base::Result<ObjectPtr> parse_endpoint_slice(const base::Json& item);
base::Result<ObjectPtr> parse_secret(const base::Json& item);
base::Result<ObjectPtr> parse_config_map(const base::Json& item);
base::Result<ObjectPtr> parse_weir_settings(const base::Json& item);

}  // namespace weir::store
