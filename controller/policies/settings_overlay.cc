#include "controller/policies/settings_overlay.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "controller/policies/setting_rules.h"
#include "controller/translate/unit.h"

namespace weir::policies {
namespace {

using base::Json;

constexpr std::size_t kLongestTime = 12;  // bytes, as the schema has it

// What the JSON says, whatever the rule; false: another type.
bool from_json(const Json& json, bool& out) {
  out = json.as_bool();
  return json.is_bool();
}

bool from_json(const Json& json, std::uint32_t& out) {
  if (!json.is_int() || !std::in_range<std::uint32_t>(json.as_int())) return false;
  out = static_cast<std::uint32_t>(json.as_int());
  return true;
}

// With its unit, as Kubernetes' own fields have it: a bare number would be read in another one by
// somebody.
bool from_json(const Json& json, std::chrono::milliseconds& out) {
  const std::string& text = json.as_string();
  const bool has_unit = !text.empty() && (text.back() < '0' || text.back() > '9');
  if (!json.is_string() || !has_unit || text.size() > kLongestTime) return false;
  const auto time = base::parse_duration(text);
  if (time.ok()) out = time.value();
  return time.ok();
}

bool from_json(const Json& json, std::string& out) {
  out = json.as_string();
  return json.is_string();
}

bool from_json(const Json& json, std::vector<std::string>& out) {
  for (const Json& item : json.items()) {
    if (!item.is_string()) return false;
    out.push_back(item.as_string());
  }
  return json.is_array();
}

class Reader {
 public:
  explicit Reader(std::vector<RefusedField>& refused) : refused_(refused) {}

  // path: in the field lists. place: in the object.
  template <typename Struct>
  void read(const Json& json, const std::string& path, const std::string& place, Struct& out) {
    if (!json.is_object()) return refuse(place, json, "accepted: an object; it is ignored");
    std::vector<std::string> known;
    each_setting<Struct>([&](const auto& field) {
      known.push_back(setting_name(field.name));
      const Json& member = json[known.back()];
      if (member.is_null()) return;
      const std::string here = join_path(path, field.name);
      const std::string there = join_path(place, known.back());
      auto& into = out.*(field.member);
      if constexpr (base::Fielded<std::decay_t<decltype(into)>>) {
        read(member, here, there, into);
      } else {
        read_leaf(member, setting_rule(here), there, into);
      }
    });
    tell_unknown(json, known, place);
  }

 private:
  template <typename T>
  void read_leaf(const Json& json, const SettingRule& rule, const std::string& place, T& into) {
    T value{};
    if (!from_json(json, value) || !keeps(rule, value)) {
      const std::string flag =
          rule.flag.empty() ? "" : "the flag --" + std::string(rule.flag) + " or ";
      return refuse(place, json,
                    "accepted: " + accepted_form(rule, value) + "; until it is mended, " + flag +
                        "the default holds");
    }
    if constexpr (std::same_as<T, std::string>) {
      if (rule.form == Form::kCollector) value = collector_url(std::move(value));
    }
    into = std::move(value);
  }

  void refuse(const std::string& place, const Json& json, std::string text) {
    refused_.push_back({place,
                        base::shortened(json.is_string() ? json.as_string() : json.to_string(),
                                        translate::kLongestValue),
                        "InvalidSetting", std::move(text)});
  }

  void tell_unknown(const Json& json, const std::vector<std::string>& known,
                    const std::string& place) {
    for (const auto& [name, value] : json.members()) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      refused_.push_back(
          {join_path(place, name), base::shortened(value.to_string(), translate::kLongestValue),
           "UnknownSetting",
           "there is no such field, it is ignored; accepted: " + base::join(known, ", ")});
    }
  }

  std::vector<RefusedField>& refused_;
};

Json to_json(bool value) { return value; }
Json to_json(std::uint32_t value) { return static_cast<std::int64_t>(value); }
Json to_json(std::chrono::milliseconds value) { return time_text(value); }
Json to_json(const std::string& value) { return value; }
Json to_json(const std::vector<std::string>& value) {
  Json out = Json::array();
  for (const std::string& one : value) out.push(one);
  return out;
}

template <typename Struct>
Json spec_of(const Struct& value) {
  Json out = Json::object();
  each_setting<Struct>([&](const auto& field) {
    const auto& member = value.*(field.member);
    if constexpr (base::Fielded<std::decay_t<decltype(member)>>) {
      out.set(setting_name(field.name), spec_of(member));
    } else {
      out.set(setting_name(field.name), to_json(member));
    }
  });
  return out;
}

}  // namespace

Json settings_spec(const model::Settings& settings) { return spec_of(settings); }

Overlay overlay(const Json& spec, model::Settings flags) {
  Overlay out{.settings = std::move(flags), .refused = {}};
  Reader(out.refused).read(spec, "", "spec", out.settings);
  return out;
}

}  // namespace weir::policies
