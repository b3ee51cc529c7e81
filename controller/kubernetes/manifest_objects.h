#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/kubernetes/source.h"

namespace weir::kubernetes {

// Finds the row of an object's apiVersion and kind.
class KindTable {
 public:
  enum class Match { kKnown, kOtherVersion, kUnknown };

  KindTable() = default;
  // kinds is borrowed for the table's life.
  explicit KindTable(const std::vector<KindDescriptor>& kinds) : kinds_(&kinds) {}
  // row: set for kKnown and kOtherVersion (same group and kind, another version).
  Match find(std::string_view api_version, std::string_view kind, const KindDescriptor*& row) const;

 private:
  const std::vector<KindDescriptor>* kinds_ = nullptr;
};

// "networking.k8s.io/v1" or "v1".
std::string api_version_of(const KindDescriptor& kind);

// An object's identity among all manifests: "Ingress shop/web".
std::string manifest_key(const KindDescriptor& kind, std::string_view ns, std::string_view name);

// One object of a manifest file, made to look as if the API server had handed it out.
struct ManifestObject {
  const KindDescriptor* kind = nullptr;
  std::string ns;  // empty for cluster-scoped kinds
  std::string name;
  std::string version;  // metadata.resourceVersion, a hash of the content
  base::Json value;
  int line = 1;

  std::string key() const { return manifest_key(*kind, ns, name); }
};

// What a file holds. A problem of one object does not touch the others.
struct ManifestFile {
  std::vector<ManifestObject> objects;
  struct Problem {
    std::string key;  // ManifestObject::key() of the object, empty when it has no identity
    int line = 1;
    std::string reason;
  };
  std::vector<Problem> problems;
  std::vector<std::string> unknown_kinds;  // "apps/v1 Deployment"
};

// Parses the text of a manifest file: YAML or JSON, many documents, List kinds. Namespace "default"
// is filled in, `stringData` merged into `data`, a resourceVersion made from the content.
//   errors: kInvalid, "line N: reason", when the file as a whole cannot be read.
base::Result<ManifestFile> parse_manifest(std::string_view text, bool is_json,
                                          const KindTable& kinds);

}  // namespace weir::kubernetes
