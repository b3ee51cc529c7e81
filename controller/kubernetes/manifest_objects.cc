#include "controller/kubernetes/manifest_objects.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "controller/kubernetes/manifest_yaml.h"

namespace weir::kubernetes {
namespace {

using base::Json;

constexpr int kMaxListDepth = 4;

std::string expected_type(std::string_view where, const Json& value, std::string_view accepted) {
  return std::string(where) + ": " + value.to_string() + " is not " + std::string(accepted);
}

// Labels and annotations must map text to text, as the API server demands; `key: true` without
// quotes is the usual mistake and would otherwise read as an empty value.
std::string check_text_map(const Json& object, std::string_view field) {
  const Json& map = object.at_path("metadata", field);
  const std::string where = "metadata." + std::string(field);
  if (map.is_null()) return {};
  if (!map.is_object()) return expected_type(where, map, "a map");
  for (const auto& [name, value] : map.members()) {
    if (!value.is_string())
      return expected_type(where + "[" + name + "]", value, "a string; put it in quotes");
  }
  return {};
}

// Merges stringData into data as the API server does on write: stringData wins.
std::string merge_string_data(Json& secret) {
  Json* plain = secret.find("stringData");
  if (plain == nullptr) return {};
  Json data = secret["data"];
  for (const auto& [name, value] : plain->members()) {
    if (!value.is_string())
      return expected_type("stringData[" + name + "]", value, "a string; put it in quotes");
    data.set(name, Json(base::base64_encode(value.as_string())));
  }
  if (data.is_object()) secret.set("data", std::move(data));
  secret.erase("stringData");
  return {};
}

class Reader {
 public:
  Reader(const KindTable& kinds, ManifestFile& out) : kinds_(kinds), out_(out) {}

  void take(Json value, int line, int depth) {
    const std::string kind = value["kind"].as_string();
    const std::string api_version = value["apiVersion"].as_string();
    if (!value.is_object() || kind.empty() || api_version.empty())
      return problem("", line, "an object needs apiVersion and kind");
    if (kind.ends_with("List") && (value["items"].is_array() || value["items"].is_null()))
      return take_list(value, line, depth);
    const KindDescriptor* row = nullptr;
    switch (kinds_.find(api_version, kind, row)) {
      case KindTable::Match::kUnknown:
        out_.unknown_kinds.push_back(api_version + " " + kind);
        return;
      case KindTable::Match::kOtherVersion:
        return problem("", line,
                       kind + " " + value.at_path("metadata", "name").as_string() +
                           ": apiVersion " + api_version + " is not served; use " +
                           api_version_of(*row));
      case KindTable::Match::kKnown:
        return take_object(std::move(value), *row, line);
    }
  }

 private:
  void problem(std::string key, int line, std::string reason) {
    out_.problems.push_back({std::move(key), line, std::move(reason)});
  }

  void take_list(const Json& list, int line, int depth) {
    if (depth >= kMaxListDepth) return problem("", line, "lists nested deeper than 4 levels");
    const std::string kind = list["kind"].as_string();
    for (const Json& item : list["items"].items()) {
      Json one = item;
      // The items of a typed list (IngressList) carry neither field.
      if (kind != "List" && !one.has("kind")) {
        one.set("apiVersion", list["apiVersion"]);
        one.set("kind", Json(kind.substr(0, kind.size() - 4)));
      }
      take(std::move(one), line, depth + 1);
    }
  }

  void take_object(Json value, const KindDescriptor& row, int line) {
    ManifestObject object;
    object.kind = &row;
    object.line = line;
    object.name = value.at_path("metadata", "name").as_string();
    const Json ns = value.at_path("metadata", "namespace");
    if (row.namespaced) object.ns = ns.as_string().empty() ? "default" : ns.as_string();
    if (object.name.empty())
      return problem("", line,
                     std::string(row.kind) + ": metadata.name is missing or not a string");
    std::string wrong = check_text_map(value, "labels");
    if (wrong.empty()) wrong = check_text_map(value, "annotations");
    if (wrong.empty() && row.kind == "Secret") wrong = merge_string_data(value);
    if (!wrong.empty())
      return problem(object.key(), line,
                     std::string(row.kind) + " " + object.ns + "/" + object.name + ": " + wrong);
    Json& metadata = *value.find("metadata");
    metadata.erase("managedFields");
    metadata.erase("resourceVersion");
    if (row.namespaced) {
      metadata.set("namespace", Json(object.ns));
    } else {
      metadata.erase("namespace");
    }
    object.version = base::hex(crypto::sha256(value.to_string())).substr(0, 24);
    metadata.set("resourceVersion", Json(object.version));
    object.value = std::move(value);
    out_.objects.push_back(std::move(object));
  }

  const KindTable& kinds_;
  ManifestFile& out_;
};

base::Result<std::vector<YamlDocument>> documents(std::string_view text, bool is_json) {
  if (!is_json) return parse_yaml(text);
  if (base::trim(text).empty()) return std::vector<YamlDocument>{};
  auto value = Json::parse(text);
  if (!value) return std::move(value).error().within("line 1");
  std::vector<YamlDocument> out;
  out.push_back({std::move(value).value(), 1});
  return out;
}

}  // namespace

std::string manifest_key(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  return std::string(kind.kind) + " " + std::string(ns) + "/" + std::string(name);
}

std::string api_version_of(const KindDescriptor& kind) {
  return kind.group.empty() ? std::string(kind.version)
                            : std::string(kind.group) + "/" + std::string(kind.version);
}

KindTable::Match KindTable::find(std::string_view api_version, std::string_view kind,
                                 const KindDescriptor*& row) const {
  row = nullptr;
  const std::size_t slash = api_version.find('/');
  const bool core = slash == std::string_view::npos;
  const std::string_view group = core ? std::string_view() : api_version.substr(0, slash);
  const std::string_view version = core ? api_version : api_version.substr(slash + 1);
  for (const KindDescriptor& one : *kinds_) {
    if (one.kind != kind || one.group != group) continue;
    row = &one;
    if (one.version == version) return Match::kKnown;
  }
  return row == nullptr ? Match::kUnknown : Match::kOtherVersion;
}

base::Result<ManifestFile> parse_manifest(std::string_view text, bool is_json,
                                          const KindTable& kinds) {
  auto parsed = documents(text, is_json);
  if (!parsed) return std::move(parsed).error();
  ManifestFile out;
  Reader reader(kinds, out);
  for (YamlDocument& one : parsed.value()) reader.take(std::move(one.value), one.line, 0);
  return out;
}

}  // namespace weir::kubernetes
