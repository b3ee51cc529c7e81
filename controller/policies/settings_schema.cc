#include "controller/policies/settings_schema.h"

#include <initializer_list>

#include "controller/policies/setting_rules.h"
#include "controller/store/store.h"

namespace weir::policies {
namespace {

using base::Json;

Json of_type(std::string_view type) {
  Json out = Json::object();
  out.set("type", type);
  return out;
}

Json leaf_schema(const SettingRule&, bool) { return of_type("boolean"); }

Json leaf_schema(const SettingRule& rule, std::uint32_t) {
  Json out = of_type("integer");
  out.set("format", "int64");
  out.set("minimum", rule.least);
  out.set("maximum", rule.most);
  return out;
}

// The length bounds what the rule may cost.
Json leaf_schema(const SettingRule& rule, std::chrono::milliseconds) {
  Json out = of_type("string");
  out.set("maxLength", 12);
  out.set("pattern", "^[0-9]+(ms|s|m|h)$");
  Json check = Json::object();
  check.set("rule", "duration(self) >= duration('" + std::to_string(rule.least) +
                        "ms') && duration(self) <= duration('" + std::to_string(rule.most) +
                        "ms')");
  check.set("message", "accepted: " + accepted_form(rule, std::chrono::milliseconds()));
  Json checks = Json::array();
  checks.push(std::move(check));
  out.set("x-kubernetes-validations", std::move(checks));
  return out;
}

Json leaf_schema(const SettingRule& rule, const std::string&) {
  Json out = of_type("string");
  out.set("minLength", rule.least);
  out.set("maxLength", rule.most);
  if (rule.form == Form::kFieldName) out.set("pattern", "^[A-Za-z0-9-]*$");
  if (rule.form == Form::kCollector)
    out.set("pattern", "^(https?://[^/ \\t\\r\\n@][^ \\t\\r\\n@]*)?$");
  return out;
}

Json leaf_schema(const SettingRule& rule, const std::vector<std::string>&) {
  Json item = of_type("string");
  item.set("maxLength", 64);
  Json forms = Json::array();
  for (const std::string_view format : {"cidr", "ipv4", "ipv6"}) {
    Json one = Json::object();
    one.set("format", format);
    forms.push(std::move(one));
  }
  item.set("anyOf", std::move(forms));
  Json out = of_type("array");
  out.set("maxItems", rule.most);
  out.set("items", std::move(item));
  return out;
}

// As a sentence.
std::string sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text + ".";
}

std::string absent_text(const SettingRule& rule, const std::string& standard) {
  if (rule.flag.empty()) return "Absent: " + standard + ".";
  return "Absent: what the controller's flag --" + std::string(rule.flag) + " says, " + standard +
         " without it.";
}

template <typename Struct>
Json struct_schema(const std::string& path, const Struct& defaults) {
  Json properties = Json::object();
  each_setting<Struct>([&](const auto& field) {
    const auto& standard = defaults.*(field.member);
    const std::string here = join_path(path, field.name);
    Json one;
    if constexpr (base::Fielded<std::decay_t<decltype(standard)>>) {
      one = struct_schema(here, standard);
    } else {
      const SettingRule& rule = setting_rule(here);
      one = leaf_schema(rule, standard);
      one.set("description",
              sentence(std::string(rule.help)) + " " + absent_text(rule, default_text(standard)));
    }
    properties.set(setting_name(field.name), std::move(one));
  });
  Json out = of_type("object");
  out.set("properties", std::move(properties));
  return out;
}

Json text_field(int most, std::string_view pattern) {
  Json out = of_type("string");
  out.set("maxLength", most);
  if (!pattern.empty()) out.set("pattern", pattern);
  return out;
}

Json words(std::initializer_list<std::string_view> list) {
  Json out = Json::array();
  for (const std::string_view one : list) out.push(one);
  return out;
}

Json condition_schema() {
  Json time = of_type("string");
  time.set("format", "date-time");
  Json generation = of_type("integer");
  generation.set("format", "int64");
  generation.set("minimum", 0);
  Json status = of_type("string");
  status.set("enum", words({"True", "False", "Unknown"}));
  Json properties = Json::object();
  properties.set("type", text_field(316, ""));
  properties.set("status", std::move(status));
  properties.set("observedGeneration", std::move(generation));
  properties.set("lastTransitionTime", std::move(time));
  properties.set("reason", text_field(1'024, "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"));
  properties.set("message", text_field(32'768, ""));
  Json out = of_type("object");
  out.set("required", words({"type", "status", "lastTransitionTime", "reason", "message"}));
  out.set("properties", std::move(properties));
  return out;
}

Json status_schema() {
  Json conditions = of_type("array");
  conditions.set("description",
                 "Accepted: whether every field counts. Programmed: whether the dataplane has "
                 "acknowledged the settings of this generation.");
  conditions.set("maxItems", 8);
  conditions.set("x-kubernetes-list-type", "map");
  conditions.set("x-kubernetes-list-map-keys", words({"type"}));
  conditions.set("items", condition_schema());
  Json properties = Json::object();
  properties.set("conditions", std::move(conditions));
  Json out = of_type("object");
  out.set("properties", std::move(properties));
  return out;
}

Json column(std::string_view name, std::string_view type, std::string_view path) {
  Json out = Json::object();
  out.set("name", name);
  out.set("type", type);
  out.set("jsonPath", path);
  return out;
}

Json object_schema() {
  Json properties = Json::object();
  properties.set("apiVersion", of_type("string"));
  properties.set("kind", of_type("string"));
  properties.set("metadata", of_type("object"));
  Json spec = struct_schema("", model::Settings());
  spec.set("description", "A field that is absent means what the controller's flag says.");
  properties.set("spec", std::move(spec));
  properties.set("status", status_schema());
  Json out = of_type("object");
  out.set("description",
          "Settings of a whole Weir, live without a restart. One object counts: the one that the "
          "controller's flag --settings names.");
  out.set("properties", std::move(properties));
  return out;
}

Json version(std::string_view name) {
  Json columns = Json::array();
  for (const std::string type : {"Accepted", "Programmed"})
    columns.push(column(type, "string", ".status.conditions[?(@.type==\"" + type + "\")].status"));
  columns.push(column("Age", "date", ".metadata.creationTimestamp"));
  Json subresources = Json::object();
  subresources.set("status", Json::object());
  Json schema = Json::object();
  schema.set("openAPIV3Schema", object_schema());
  Json out = Json::object();
  out.set("name", name);
  out.set("served", true);
  out.set("storage", true);
  out.set("subresources", std::move(subresources));
  out.set("additionalPrinterColumns", std::move(columns));
  out.set("schema", std::move(schema));
  return out;
}

// Block style, every text in quotes.
void write_yaml(const Json& json, const std::string& indent, std::string& out) {
  const bool empty = json.members().empty() && json.items().empty();
  if (empty || (!json.is_object() && !json.is_array())) {
    out += " " + json.to_string() + "\n";
    return;
  }
  out += "\n";
  for (const auto& [name, value] : json.members()) {
    out += indent + name + ":";
    write_yaml(value, indent + (value.is_array() ? "" : "  "), out);
  }
  for (const Json& item : json.items()) {
    std::string inner;
    write_yaml(item, indent + "  ", inner);
    // The first line of the item stands behind its dash.
    const std::size_t begin = inner.find_first_not_of(" \n");
    out += indent + "- " + inner.substr(begin);
  }
}

}  // namespace

Json settings_definition() {
  const kubernetes::KindDescriptor& kind = store::row(store::Kind::kWeirSettings).descriptor;
  const std::string plural(kind.plural);
  Json metadata = Json::object();
  metadata.set("name", plural + "." + std::string(kind.group));
  Json names = Json::object();
  names.set("kind", kind.kind);
  names.set("listKind", std::string(kind.kind) + "List");
  names.set("plural", plural);
  names.set("singular", plural);
  names.set("shortNames", words({"ws"}));
  Json versions = Json::array();
  versions.push(version(kind.version));
  Json spec = Json::object();
  spec.set("group", kind.group);
  spec.set("scope", "Namespaced");
  spec.set("names", std::move(names));
  spec.set("versions", std::move(versions));
  Json out = Json::object();
  out.set("apiVersion", "apiextensions.k8s.io/v1");
  out.set("kind", "CustomResourceDefinition");
  out.set("metadata", std::move(metadata));
  out.set("spec", std::move(spec));
  return out;
}

std::string settings_definition_file() {
  std::string yaml;
  write_yaml(settings_definition(), "", yaml);
  return "# Made from the field list of model::Settings by controller/policies: change that, not "
         "this." +
         yaml;
}

}  // namespace weir::policies
