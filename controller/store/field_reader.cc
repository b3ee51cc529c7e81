#include "controller/store/field_reader.h"

#include <algorithm>

#include "common/base/text.h"
#include "controller/store/store.h"

namespace weir::store {
namespace {

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
constexpr std::size_t kMaxQuoted = 200;  // bytes of a foreign value that an error text repeats
constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxLabel = 63;

base::Result<void> read_map(const FieldAt& at, std::map<std::string, std::string>& out) {
  if (auto checked = check_object(at); !checked.ok()) return checked;
  for (const auto& [name, value] : at.json.members()) {
    if (!value.is_string()) return at.child(name).wrong("a string");
    if (name != kLastApplied) out.emplace(name, value.as_string());
  }
  return {};
}

base::Result<void> read_created(const FieldAt& at, std::int64_t& out) {
  if (at.json.is_null()) return {};
  const auto seconds = base::parse_rfc3339(at.json.as_string());
  if (!seconds) return at.wrong("a time such as \"2026-01-02T03:04:05Z\"");
  out = *seconds;
  return {};
}

bool is_label_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

}  // namespace

base::Error field_error(const ObjectKey& key, std::string_view field, const base::Json& value,
                        std::string_view accepted) {
  std::string text = key.to_string() + ": " + std::string(field) + ": ";
  if (value.is_null()) return base::invalid(text + "missing; must be " + std::string(accepted));
  std::string quoted = value.to_string();
  if (quoted.size() > kMaxQuoted) quoted = quoted.substr(0, kMaxQuoted) + "...";
  return base::invalid(text + quoted + " is not " + std::string(accepted));
}

FieldAt FieldAt::child(std::string_view name) const {
  return {key, json[name], field.empty() ? std::string(name) : field + "." + std::string(name)};
}

FieldAt FieldAt::item(std::size_t index) const {
  return {key, json.items()[index], field + "[" + std::to_string(index) + "]"};
}

base::Result<void> read_metadata(const base::Json& item, Kind kind, Object& out) {
  const base::Json& metadata = item["metadata"];
  out.key = ObjectKey{kind, metadata["namespace"].as_string(), metadata["name"].as_string()};
  const FieldAt at{out.key, metadata, "metadata"};
  if (out.key.name.empty()) return at.child("name").wrong("a name");
  const bool namespaced = row(kind).descriptor.namespaced;
  if (namespaced && out.key.ns.empty()) return at.child("namespace").wrong("a namespace");
  if (!namespaced) out.key.ns.clear();
  if (auto read = read_string(at.child("uid"), out.uid); !read.ok()) return read;
  if (auto read = read_string(at.child("resourceVersion"), out.resource_version); !read.ok())
    return read;
  if (auto read = read_created(at.child("creationTimestamp"), out.created); !read.ok()) return read;
  if (auto read = read_map(at.child("labels"), out.labels); !read.ok()) return read;
  return read_map(at.child("annotations"), out.annotations);
}

base::Result<void> read_string(const FieldAt& at, std::string& out) {
  if (at.json.is_null()) return {};
  if (!at.json.is_string()) return at.wrong("a string");
  out = at.json.as_string();
  return {};
}

base::Result<void> read_bool(const FieldAt& at, bool& out) {
  if (at.json.is_null()) return {};
  if (!at.json.is_bool()) return at.wrong("true or false");
  out = at.json.as_bool();
  return {};
}

base::Result<void> read_port(const FieldAt& at, std::int32_t& out) {
  if (at.json.is_null()) return {};
  if (!at.json.is_int() || at.json.as_int() < 1 || at.json.as_int() > 65'535)
    return at.wrong("a port in 1..65535");
  out = static_cast<std::int32_t>(at.json.as_int());
  return {};
}

base::Result<void> check_list(const FieldAt& at) {
  if (at.json.is_null() || at.json.is_array()) return {};
  return at.wrong("a list");
}

base::Result<void> check_object(const FieldAt& at) {
  if (at.json.is_null() || at.json.is_object()) return {};
  return at.wrong("an object");
}

std::vector<LoadBalancerAddress> read_addresses(const base::Json& item) {
  std::vector<LoadBalancerAddress> out;
  for (const base::Json& one : item.at_path("status", "loadBalancer", "ingress").items())
    out.push_back({one["ip"].as_string(), one["hostname"].as_string()});
  return out;
}

bool is_dns_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxName) return false;
  for (const std::string_view label : base::split(text, '.')) {
    if (label.empty() || label.size() > kMaxLabel) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), is_label_byte)) return false;
  }
  return true;
}

}  // namespace weir::store
