#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/settings.h"

namespace weir::policies {

// What a text is, beside its length.
enum class Form : std::uint8_t {
  kPlain,
  kAddresses,  // a list of IP addresses and CIDRs
  kFieldName,  // the name of a header field
  kCollector,  // empty, or a URL whose path is /v1/traces unless it has one
};

// One row per field of model::Settings and its parts: the words and bounds that its flag, the field
// of a WeirSettings object, the schema and the reference page share.
struct SettingRule {
  std::string_view path;  // in the field lists: "client_address.forwarded_sources"
  std::string_view flag;  // that says the same, without dashes; empty: there is none
  std::string_view help;
  // Of a number: its value. Of a time: milliseconds. Of a list or a text: entries or characters.
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  Form form = Form::kPlain;
};

const std::vector<SettingRule>& setting_rules();
// path: of a row; anything else is a mistake of ours.
const SettingRule& setting_rule(std::string_view path);
// The description of a flag: that of its field.
std::string setting_help(std::string_view path);

// The name that users write: "client_header_timeout_ms" -> "clientHeaderTimeout". The words of the
// field list, each but the first with a capital letter; the unit of a time goes, its value says it.
std::string setting_name(std::string_view field);

// Calls each(field) for every field of this struct that users may set.
template <typename Struct, typename Each>
void each_setting(Each&& each) {
  const auto one = [&each](const auto& field) {
    if (field.name != "name") each(field);  // of the resource
  };
  Struct::fields([&one](const auto&... field) { (one(field), ...); });
}

inline std::string join_path(std::string_view outer, std::string_view inner) {
  return outer.empty() ? std::string(inner) : std::string(outer) + "." + std::string(inner);
}

// What is accepted, for error texts and the reference: "a number from 1 to 65535".
std::string accepted_form(const SettingRule& rule, bool);
std::string accepted_form(const SettingRule& rule, std::uint32_t);
std::string accepted_form(const SettingRule& rule, std::chrono::milliseconds);
std::string accepted_form(const SettingRule& rule, const std::string&);
std::string accepted_form(const SettingRule& rule, const std::vector<std::string>&);

// Whether a value keeps to its rule.
bool keeps(const SettingRule& rule, bool value);
bool keeps(const SettingRule& rule, std::uint32_t value);
bool keeps(const SettingRule& rule, std::chrono::milliseconds value);
bool keeps(const SettingRule& rule, const std::string& value);
bool keeps(const SettingRule& rule, const std::vector<std::string>& value);

// As users write it: "12s", "500ms".
std::string time_text(std::chrono::milliseconds time);

// A value for people; of a default what is there when nothing is: "none", "empty".
std::string value_text(bool value);
std::string value_text(std::uint32_t value);
std::string value_text(std::chrono::milliseconds value);
std::string value_text(const std::string& value);
std::string value_text(const std::vector<std::string>& value);
template <typename T>
std::string default_text(const T& value) {
  if constexpr (std::same_as<T, std::string>) return value.empty() ? "empty" : value;
  if constexpr (std::same_as<T, std::vector<std::string>>)
    return value.empty() ? "none" : value_text(value);
  return value_text(value);
}

// With the path that OTLP has by default, when the URL has none. What is no such URL comes back as
// it is.
std::string collector_url(std::string url);

// The first field that breaks its rule, of settings that flags made.
struct BrokenRule {
  const SettingRule* rule;
  std::string value;
  std::string accepted;
};
std::optional<BrokenRule> first_broken_rule(const model::Settings& settings);

}  // namespace weir::policies
