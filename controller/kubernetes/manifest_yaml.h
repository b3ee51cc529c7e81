#pragma once

#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"

namespace weir::kubernetes {

// One YAML document with the line it starts on (first line is 1).
struct YamlDocument {
  base::Json value;
  int line = 1;
};

// Parses a stream of YAML documents ("---" between them); the libyaml wrapper, whose grammar is
// that of kubectl (go-yaml is libyaml in Go). JSON text is YAML too.
//   typing:  plain scalars by the YAML 1.2 core schema (null ~ true false, 12, 0x1f, 0o17, 1.5);
//   quoted
//            ones stay strings. "yes" and "on" are strings. Dates are strings.
//   keys:    must be scalars; a key that stands twice in one map is refused. "<<" merges.
//   bounds:  nesting 500 levels, 200,000 values made by aliases.
//   errors:  kInvalid, "line N: reason".
// Empty documents (comments only) are left out. Any thread.
base::Result<std::vector<YamlDocument>> parse_yaml(std::string_view text);

// The value of a plain scalar under the core schema; see above.
base::Json yaml_plain_scalar(std::string_view text);

}  // namespace weir::kubernetes
