#include "controller/store/field_reader.h"
#include "controller/store/parse.h"

// weir.ingress/v1alpha1 WeirSettings. Only the outer form is checked here: a field of the spec that
// is bad harms no other, so the spec is kept as it was written.

namespace weir::store {
namespace {

// Unreadable conditions are left out: we only compare them.
std::vector<Condition> read_conditions(const base::Json& item) {
  std::vector<Condition> out;
  for (const base::Json& one : item.at_path("status", "conditions").items()) {
    out.push_back({one["type"].as_string(), one["status"].as_string(), one["reason"].as_string(),
                   one["message"].as_string(), one["observedGeneration"].as_int(),
                   one["lastTransitionTime"].as_string()});
  }
  return out;
}

}  // namespace

base::Result<ObjectPtr> parse_weir_settings(const base::Json& item) {
  auto out = std::make_shared<WeirSettings>();
  if (auto read = read_metadata(item, Kind::kWeirSettings, *out); !read.ok())
    return std::move(read).error();
  const FieldAt spec{out->key, item["spec"], "spec"};
  if (auto checked = check_object(spec); !checked.ok()) return std::move(checked).error();
  if (spec.json.is_object()) out->spec = spec.json;
  out->generation = item.at_path("metadata", "generation").as_int();
  out->conditions = read_conditions(item);
  return ObjectPtr(std::move(out));
}

}  // namespace weir::store
