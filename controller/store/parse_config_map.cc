#include "controller/store/field_reader.h"
#include "controller/store/parse.h"

// Core v1 ConfigMap. binaryData is not read.

namespace weir::store {

base::Result<ObjectPtr> parse_config_map(const base::Json& item) {
  auto out = std::make_shared<ConfigMap>();
  if (auto read = read_metadata(item, Kind::kConfigMap, *out); !read.ok())
    return std::move(read).error();
  const FieldAt top{out->key, item, ""};
  const FieldAt data = top.child("data");
  if (auto checked = check_object(data); !checked.ok()) return std::move(checked).error();
  for (const auto& [name, value] : data.json.members()) {
    if (auto read = read_string(data.child(name), out->data[name]); !read.ok())
      return std::move(read).error();
  }
  return ObjectPtr(std::move(out));
}

}  // namespace weir::store
