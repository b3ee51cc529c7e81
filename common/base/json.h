#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace weir::base {

// A JSON value (RFC 8259) that owns its parts; member order is kept. Reading a missing member or
// the wrong type never fails: it gives a null value or the type's empty value, so that a walk over
// foreign objects needs no checks on the way. One thread at a time for changes; any number of
// readers. The RapidJSON wrapper is json.cc.
class Json {
 public:
  enum class Type : std::uint8_t { kNull, kBool, kInt, kDouble, kString, kArray, kObject };
  using Member = std::pair<std::string, Json>;

  Json() = default;
  Json(bool value) : type_(Type::kBool), int_(value ? 1 : 0) {}  // NOLINT: implicit by intent
  Json(std::int64_t value) : type_(Type::kInt), int_(value) {}   // NOLINT
  Json(int value) : type_(Type::kInt), int_(value) {}            // NOLINT
  Json(double value) : type_(Type::kDouble), double_(value) {}   // NOLINT
  Json(std::string value) : type_(Type::kString), string_(std::move(value)) {}  // NOLINT
  Json(std::string_view value) : type_(Type::kString), string_(value) {}        // NOLINT
  Json(const char* value) : type_(Type::kString), string_(value) {}             // NOLINT
  static Json array() { return Json(Type::kArray); }
  static Json object() { return Json(Type::kObject); }

  // Parses one whole text with an iterative parser (hostile depth cannot overflow the stack); at
  // most kMaxDepth levels. Of members of one name the last value stands, at the place of the first.
  //   errors: kInvalid with the byte offset and the reason.
  static Result<Json> parse(std::string_view text);
  static constexpr std::size_t kMaxDepth = 512;

  std::string to_string() const;         // compact, one line
  std::string to_pretty_string() const;  // two blanks a level
  void append_to(std::string& out) const;

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::kNull; }
  bool is_string() const { return type_ == Type::kString; }
  bool is_int() const { return type_ == Type::kInt; }
  bool is_bool() const { return type_ == Type::kBool; }
  bool is_array() const { return type_ == Type::kArray; }
  bool is_object() const { return type_ == Type::kObject; }

  bool as_bool(bool fallback = false) const { return is_bool() ? int_ != 0 : fallback; }
  std::int64_t as_int(std::int64_t fallback = 0) const;
  double as_double(double fallback = 0) const;
  const std::string& as_string() const { return string_; }  // empty for other types

  const std::vector<Json>& items() const { return items_; }        // empty for other types
  const std::vector<Member>& members() const { return members_; }  // empty for other types
  const Json& operator[](std::string_view name) const;             // null value when absent
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // Walks members: at_path("metadata", "name").
  template <typename... Names>
  const Json& at_path(std::string_view name, Names... rest) const {
    const Json& next = (*this)[name];
    if constexpr (sizeof...(rest) == 0) {
      return next;
    } else {
      return next.at_path(rest...);
    }
  }

  // Appends to an array; makes a null value an array.
  void push(Json item) {
    if (type_ == Type::kNull) type_ = Type::kArray;
    items_.push_back(std::move(item));
  }
  // Sets or replaces a member; makes a null value an object.
  Json& set(std::string_view name, Json value);
  void erase(std::string_view name);
  Json* find(std::string_view name);
  const Json* find(std::string_view name) const;

  bool operator==(const Json& other) const;

 private:
  friend class JsonBuilder;
  explicit Json(Type type) : type_(type) {}

  Type type_ = Type::kNull;
  union {
    std::int64_t int_ = 0;
    double double_;
  };
  std::string string_;
  std::vector<Json> items_;
  std::vector<Member> members_;
};

// Appends text as a JSON string with quotes. Bytes that are not UTF-8 become U+FFFD, control bytes
// are escaped: the output is valid JSON for any input. No allocation beyond out's growth. Any
// thread.
void append_json_string(std::string& out, std::string_view text);

}  // namespace weir::base
