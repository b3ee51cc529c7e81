#include "common/base/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace weir::base {

// Builds a Json from parser events. Invariant: stack_ holds the open arrays and objects; keys_ the
// names their next values take.
class JsonBuilder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, JsonBuilder> {
 public:
  bool Null() { return add(Json()); }
  bool Bool(bool value) { return add(Json(value)); }
  // Numbers come as text: RapidJSON's own exact conversion counts the leading zeros of a zero.
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    std::int64_t whole = 0;
    const auto [end, error] = std::from_chars(text, text + size, whole);
    if (error == std::errc() && end == text + size) return add(Json(whole));
    const double value = std::strtod(std::string(text, size).c_str(), nullptr);
    too_big_ = !std::isfinite(value);
    return !too_big_ && add(Json(value));
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return add(Json(std::string(text, size)));
  }
  bool StartObject() { return open(Json::object()); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    keys_.back().assign(text, size);
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() { return open(Json::array()); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  Json take() { return std::move(root_); }
  bool number_too_big() const { return too_big_; }

 private:
  bool open(Json value) {
    if (stack_.size() >= Json::kMaxDepth) return false;
    stack_.push_back(std::move(value));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    Json done = std::move(stack_.back());
    stack_.pop_back();
    keys_.pop_back();
    if (done.is_object()) drop_repeated(done.members_);
    return add(std::move(done));
  }
  bool add(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (stack_.back().is_array()) {
      stack_.back().push(std::move(value));
    } else {
      stack_.back().members_.emplace_back(std::move(keys_.back()), std::move(value));
    }
    return true;
  }

  // One sort at the end of an object: a look-up per member would let 100,000 members take minutes.
  static void drop_repeated(std::vector<Json::Member>& members) {
    std::vector<std::size_t> order(members.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&members](std::size_t a, std::size_t b) {
      return members[a].first < members[b].first;
    });
    std::vector<bool> repeated(members.size());
    bool any = false;
    std::size_t first = 0;
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (members[order[i]].first != members[order[first]].first) {
        first = i;
        continue;
      }
      members[order[first]].second = std::move(members[order[i]].second);
      repeated[order[i]] = any = true;
    }
    if (!any) return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!repeated[i] && kept++ != i) members[kept - 1] = std::move(members[i]);
    }
    members.resize(kept);
  }

  bool too_big_ = false;
  Json root_;
  std::vector<Json> stack_;
  std::vector<std::string> keys_;
};

namespace {

const Json& null_json() {
  static const Json null{};
  return null;
}

void indent(std::string& out, std::size_t depth) {
  out += '\n';
  out.append(depth * 2, ' ');
}

void write_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), end);
}

// pretty: 0 for compact, else the depth of this value plus one.
void write(std::string& out, const Json& value, std::size_t pretty) {
  const auto sequence = [&](char open, char close, std::size_t size, auto&& item) {
    out += open;
    for (std::size_t i = 0; i < size; ++i) {
      if (i > 0) out += ',';
      if (pretty > 0) indent(out, pretty);
      item(i);
    }
    if (pretty > 0 && size > 0) indent(out, pretty - 1);
    out += close;
  };
  const std::size_t inner = pretty == 0 ? 0 : pretty + 1;
  switch (value.type()) {
    case Json::Type::kNull:
      out += "null";
      break;
    case Json::Type::kBool:
      out += value.as_bool() ? "true" : "false";
      break;
    case Json::Type::kInt:
      out += std::to_string(value.as_int());
      break;
    case Json::Type::kDouble:
      write_double(out, value.as_double());
      break;
    case Json::Type::kString:
      append_json_string(out, value.as_string());
      break;
    case Json::Type::kArray:
      sequence('[', ']', value.items().size(),
               [&](std::size_t i) { write(out, value.items()[i], inner); });
      break;
    case Json::Type::kObject:
      sequence('{', '}', value.members().size(), [&](std::size_t i) {
        append_json_string(out, value.members()[i].first);
        out += pretty > 0 ? ": " : ":";
        write(out, value.members()[i].second, inner);
      });
      break;
  }
}

// Length of the valid UTF-8 sequence at the front of text, 0 when there is none (RFC 3629: no
// overlong form, no surrogate).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  const std::size_t size = first >= 0xf0 && first <= 0xf4  ? 4
                           : first >= 0xe0 && first < 0xf0 ? 3
                           : first >= 0xc2 && first < 0xe0 ? 2
                                                           : 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return size;
}

}  // namespace

Result<Json> Json::parse(std::string_view text) {
  JsonBuilder builder;
  rapidjson::Reader reader;
  rapidjson::MemoryStream stream(text.data(), text.size());
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (!result) {
    std::string reason = rapidjson::GetParseError_En(result.Code());
    if (result.Code() == rapidjson::kParseErrorTermination) {
      reason = builder.number_too_big() ? "number out of range" : "nested deeper than 512 levels";
    }
    return invalid("JSON at byte " + std::to_string(result.Offset()) + ": " + reason);
  }
  // The parser takes a NUL for the end of the text.
  if (stream.Tell() != text.size()) {
    return invalid("JSON at byte " + std::to_string(stream.Tell()) + ": NUL outside a string");
  }
  return builder.take();
}

std::string Json::to_string() const {
  std::string out;
  write(out, *this, 0);
  return out;
}

std::string Json::to_pretty_string() const {
  std::string out;
  write(out, *this, 1);
  return out;
}

void Json::append_to(std::string& out) const { write(out, *this, 0); }

std::int64_t Json::as_int(std::int64_t fallback) const {
  if (type_ == Type::kInt) return int_;
  if (type_ == Type::kDouble && std::abs(double_) < 9.0e18)
    return static_cast<std::int64_t>(double_);
  return fallback;
}

double Json::as_double(double fallback) const {
  if (type_ == Type::kDouble) return double_;
  return type_ == Type::kInt ? static_cast<double>(int_) : fallback;
}

const Json& Json::operator[](std::string_view name) const {
  const Json* found = find(name);
  return found == nullptr ? null_json() : *found;
}

const Json* Json::find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

Json* Json::find(std::string_view name) {
  for (Member& member : members_) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

Json& Json::set(std::string_view name, Json value) {
  if (type_ == Type::kNull) type_ = Type::kObject;
  if (Json* found = find(name)) {
    *found = std::move(value);
    return *found;
  }
  members_.emplace_back(std::string(name), std::move(value));
  return members_.back().second;
}

void Json::erase(std::string_view name) {
  std::erase_if(members_, [name](const Member& member) { return member.first == name; });
}

bool Json::operator==(const Json& other) const {
  if (type_ != other.type_) return false;
  switch (type_) {
    case Type::kNull:
      return true;
    case Type::kBool:
    case Type::kInt:
      return int_ == other.int_;
    case Type::kDouble:
      return double_ == other.double_;
    case Type::kString:
      return string_ == other.string_;
    case Type::kArray:
      return items_ == other.items_;
    case Type::kObject:
      return members_ == other.members_;
  }
  return false;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && text[plain] >= 0x20 && text[plain] < 0x7f && text[plain] != '"' &&
           text[plain] != '\\')
      ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text.front();
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      text.remove_prefix(1);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
      text.remove_prefix(1);
    } else if (const std::size_t size = utf8_length(text); size > 0) {
      out.append(text.substr(0, size));
      text.remove_prefix(size);
    } else {
      out += "\xef\xbf\xbd";
      text.remove_prefix(1);
    }
  }
  out += '"';
}

}  // namespace weir::base
