#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/json.h"
#include "common/base/result.h"
#include "controller/store/object.h"

namespace weir::store {

// What the parsers of all kinds share. Every error names the object, the field, the value and the
// accepted form: "Ingress shop/cart: spec.rules[0].host: \"A_B\" is not a DNS name". Any thread.

// "Kind namespace/name: field: value is not accepted". value: JSON of what stands there; left out
// when null.
base::Error field_error(const ObjectKey& key, std::string_view field, const base::Json& value,
                        std::string_view accepted);

// Fills key, uid, resource_version, created, labels and annotations from metadata. The
// last-applied-configuration annotation is dropped: it repeats the whole object, of a Secret too.
//   errors: kInvalid when the name (or the namespace of a namespaced kind) is missing or metadata
//   has the wrong form.
base::Result<void> read_metadata(const base::Json& item, Kind kind, Object& out);

// Where one object is being read: key for error texts, field for the path of `json` in it.
struct FieldAt {
  const ObjectKey& key;
  const base::Json& json;
  std::string field;

  FieldAt child(std::string_view name) const;
  FieldAt item(std::size_t index) const;
  base::Error wrong(std::string_view accepted) const {
    return field_error(key, field, json, accepted);
  }
};

// Absent or null keeps out as it is; another type than expected is an error.
base::Result<void> read_string(const FieldAt& at, std::string& out);
base::Result<void> read_bool(const FieldAt& at, bool& out);
base::Result<void> read_port(const FieldAt& at, std::int32_t& out);  // 1..65535
base::Result<void> check_list(const FieldAt& at);                    // a list, or absent
base::Result<void> check_object(const FieldAt& at);                  // an object, or absent

// status.loadBalancer.ingress of Ingress and Service. Unreadable entries are left out: we only
// compare them.
std::vector<LoadBalancerAddress> read_addresses(const base::Json& item);

// RFC 1123 subdomain in lower case, at most 253 bytes, labels of at most 63.
bool is_dns_name(std::string_view text);

}  // namespace weir::store
