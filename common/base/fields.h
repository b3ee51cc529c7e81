#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/boxed.h"
#include "common/base/json.h"
#include "common/base/result.h"

namespace weir::base {

// One field list per struct serves encoding, decoding and reference docs:
//
//   struct Bind {
//     std::string address;
//     std::uint16_t port = 0;
//     bool operator==(const Bind&) const = default;
//     static constexpr auto fields(auto&& to) { return to(field("address", &Bind::address),
//     field("port", &Bind::port)); }
//   };
//
// A field whose value equals the struct's default is left out of the JSON; an absent member keeps
// the default; a member that the list does not name is ignored (that is how versions N-1 and N+1
// understand each other). A member of the wrong type or out of range is an error that names the
// path: "binds[1].port: 70000 is not in 0..65535". Supported types: bool, integers up to
// 2^63-1, std::string, milliseconds and seconds (0 to ten years), std::optional, Boxed,
// std::vector, enums with an `enum_names(E)` overload found by ADL, and structs with fields(to).
//
// The list is handed to a callable, not returned as a tuple: a tuple of thirty is built by the
// compiler wherever the struct's header is read.

template <typename Struct, typename Member>
struct Field {
  std::string_view name;
  Member Struct::* member;
};

template <typename Struct, typename Member>
constexpr Field<Struct, Member> field(std::string_view name, Member Struct::* member) {
  return {name, member};
}

// Names of an enum in the order of its enumerators, which must start at 0 and have no gaps.
using EnumNames = std::vector<std::string_view>;

template <typename T>
concept Fielded = requires { T::fields([](const auto&...) {}); };

namespace fields_detail {

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsOptional<Boxed<T>> : std::true_type {};
template <typename T>
struct IsDuration : std::false_type {};
template <typename R, typename P>
struct IsDuration<std::chrono::duration<R, P>> : std::true_type {};

inline Error wrong(std::string_view path, const Json& value, std::string_view accepted) {
  const std::string place = path.empty() ? "" : std::string(path) + ": ";
  return invalid(place + value.to_string() + " is not " + std::string(accepted));
}

template <typename Int>
Result<void> decode_int(const Json& json, Int& out, const std::string& path) {
  if (!json.is_int()) return wrong(path, json, "a whole number");
  if (!std::in_range<Int>(json.as_int())) {
    return wrong(path, json,
                 "in " + std::to_string(std::numeric_limits<Int>::min()) + ".." +
                     std::to_string(std::numeric_limits<Int>::max()));
  }
  out = static_cast<Int>(json.as_int());
  return {};
}

// A negative time means nothing, and one of centuries would overflow when it is added to a clock.
template <typename T>
Result<void> decode_duration(const Json& json, T& out, const std::string& path) {
  constexpr std::int64_t kMost =
      std::chrono::duration_cast<std::chrono::duration<std::int64_t, typename T::period>>(
          std::chrono::hours(24 * 3650))
          .count();
  std::int64_t count = 0;
  if (Result<void> r = decode_int(json, count, path); !r.ok()) return r;
  if (count < 0 || count > kMost) return wrong(path, json, "in 0.." + std::to_string(kMost));
  out = T(static_cast<typename T::rep>(count));
  return {};
}

}  // namespace fields_detail

template <typename T>
Json encode(const T& value) {
  using namespace fields_detail;
  if constexpr (std::same_as<T, bool> || std::same_as<T, std::string>) {
    return Json(value);
  } else if constexpr (std::is_enum_v<T>) {
    return Json(std::string(enum_names(T{})[static_cast<std::size_t>(value)]));
  } else if constexpr (std::integral<T>) {
    WEIR_CHECK(std::in_range<std::int64_t>(value));
    return Json(static_cast<std::int64_t>(value));
  } else if constexpr (IsDuration<T>::value) {
    return Json(static_cast<std::int64_t>(value.count()));
  } else if constexpr (IsOptional<T>::value) {
    return value.has_value() ? encode(*value) : Json();
  } else if constexpr (IsVector<T>::value) {
    Json out = Json::array();
    for (const auto& item : value) out.push(encode(item));
    return out;
  } else {
    static_assert(Fielded<T>, "the type needs a static fields(to) function");
    static const T defaults{};
    Json out = Json::object();
    const auto add = [&](const auto& f) {
      if (!(value.*(f.member) == defaults.*(f.member))) out.set(f.name, encode(value.*(f.member)));
    };
    T::fields([&](const auto&... one) { (add(one), ...); });
    return out;
  }
}

// Fills out from json. path: where json stands, for the error text. On error out holds a mix of old
// and new.
template <typename T>
Result<void> decode_into(const Json& json, T& out, const std::string& path) {
  using namespace fields_detail;
  if constexpr (std::same_as<T, bool>) {
    if (!json.is_bool()) return wrong(path, json, "true or false");
    out = json.as_bool();
  } else if constexpr (std::same_as<T, std::string>) {
    if (!json.is_string()) return wrong(path, json, "a string");
    out = json.as_string();
  } else if constexpr (std::is_enum_v<T>) {
    const EnumNames names = enum_names(T{});
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (json.is_string() && json.as_string() == names[i]) {
        out = static_cast<T>(i);
        return {};
      }
    }
    std::string accepted = "one of";
    for (const auto name : names) accepted += " " + std::string(name);
    return wrong(path, json, accepted);
  } else if constexpr (std::integral<T>) {
    return decode_int(json, out, path);
  } else if constexpr (IsDuration<T>::value) {
    return decode_duration(json, out, path);
  } else if constexpr (IsOptional<T>::value) {
    if (json.is_null()) {
      out.reset();
    } else {
      return decode_into(json, out.emplace(), path);
    }
  } else if constexpr (IsVector<T>::value) {
    if (!json.is_array()) return wrong(path, json, "a list");
    out.clear();
    for (const Json& item : json.items()) {
      out.emplace_back();
      auto r = decode_into(item, out.back(), path + "[" + std::to_string(out.size() - 1) + "]");
      if (!r.ok()) return r;
    }
  } else {
    static_assert(Fielded<T>, "the type needs a static fields(to) function");
    if (!json.is_object()) return wrong(path, json, "an object");
    Result<void> result;
    const auto read = [&](const auto& f) {
      const Json* member = json.find(f.name);
      if (member == nullptr || !result.ok()) return;
      result = decode_into(*member, out.*(f.member),
                           path.empty() ? std::string(f.name) : path + "." + std::string(f.name));
    };
    T::fields([&](const auto&... one) { (read(one), ...); });
    return result;
  }
  return {};
}

template <typename T>
Result<T> decode(const Json& json) {
  T out{};
  if (Result<void> r = decode_into(json, out, ""); !r.ok()) return std::move(r).error();
  return out;
}

}  // namespace weir::base
