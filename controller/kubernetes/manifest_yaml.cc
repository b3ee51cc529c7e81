#include "controller/kubernetes/manifest_yaml.h"

#include <yaml.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>

#include "common/base/check.h"

namespace weir::kubernetes {
namespace {

using base::Json;

constexpr std::size_t kMaxExpanded = 200'000;
constexpr std::size_t kMaxNesting = 500;
constexpr std::string_view kMergeKey = "<<";

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool all_in(std::string_view text, std::string_view set) {
  return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  int radix = 10;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    radix = text[1] == 'x' ? 16 : 8;
    text.remove_prefix(2);
  } else if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  if (radix != 10 && text.starts_with('-')) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, radix);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<double> real_number(std::string_view text) {
  const std::string_view unsigned_text =
      text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  if (!all_in(unsigned_text, "0123456789.eE+-")) return std::nullopt;
  const char first = unsigned_text.front();
  if (first != '.' && (first < '0' || first > '9')) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string at_line(std::size_t line) { return "line " + std::to_string(line) + ": "; }

// 1-based.
std::size_t line_of(const yaml_mark_t& mark) { return mark.line + 1; }

std::string text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string() : reinterpret_cast<const char*>(text);
}

// Builds Json from libyaml's events. Invariant: stack_ holds the open collections of the document.
// After the first error no event may follow.
class Builder {
 public:
  std::string error;  // "line N: reason"
  Json root;
  std::size_t line = 0;
  bool complete = false;  // root is a whole document

  void take(const yaml_event_t& event) {
    const std::size_t at = line_of(event.start_mark);
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        root = Json();
        line = at;
        complete = false;
        anchors_.clear();
        return;
      case YAML_DOCUMENT_END_EVENT:
        complete = true;
        return;
      case YAML_ALIAS_EVENT:
        return alias(at, text_of(event.data.alias.anchor));
      case YAML_SCALAR_EVENT:
        return scalar(at, event);
      case YAML_SEQUENCE_START_EVENT:
        return open(at, text_of(event.data.sequence_start.anchor), Json::array());
      case YAML_MAPPING_START_EVENT:
        return open(at, text_of(event.data.mapping_start.anchor), Json::object());
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return close();
      default:
        return;
    }
  }

 private:
  struct Frame {
    Json value;
    std::string key;
    bool has_key = false;
    std::size_t line = 0;
    std::string anchor;
    std::size_t values_before = 0;
    std::vector<Json> merged;
  };
  struct Anchored {
    Json value;
    std::size_t size = 1;
  };

  static bool typed(std::string_view tag) {
    return is_one_of(tag, {YAML_INT_TAG, YAML_FLOAT_TAG, YAML_BOOL_TAG, YAML_NULL_TAG});
  }
  bool wants_key() const {
    return !stack_.empty() && stack_.back().value.is_object() && !stack_.back().has_key;
  }
  void fail(std::size_t at, std::string_view reason) {
    if (error.empty()) error = at_line(at).append(reason);
  }
  void alias(std::size_t at, const std::string& anchor) {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      return fail(at, "the alias *" + anchor + " names no anchor that is complete");
    }
    values_ += found->second.size;
    expanded_ += found->second.size;
    if (expanded_ > kMaxExpanded) return fail(at, "aliases expand to more than 200000 values");
    add(at, "", found->second.value);
  }
  void scalar(std::size_t at, const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    const bool plain = data.plain_implicit != 0 && data.style == YAML_PLAIN_SCALAR_STYLE;
    std::string value(reinterpret_cast<const char*>(data.value), data.length);
    if (wants_key()) {
      if (plain && value == kMergeKey) merges_ = true;
      return set_key(at, text_of(data.anchor), std::move(value));
    }
    add(at, text_of(data.anchor),
        plain || typed(text_of(data.tag)) ? yaml_plain_scalar(value) : Json(std::move(value)));
  }
  void set_key(std::size_t at, const std::string& anchor, std::string key) {
    if (!anchor.empty()) anchors_[anchor] = {Json(key), 1};
    Frame& top = stack_.back();
    if (top.value.has(key)) fail(at, "key \"" + key + "\" stands twice in one map");
    top.key = std::move(key);
    top.has_key = true;
  }
  void open(std::size_t at, std::string anchor, Json value) {
    if (wants_key()) return fail(at, "a map key must be a scalar");
    if (stack_.size() == kMaxNesting) return fail(at, "nested more than 500 levels deep");
    Frame frame;
    frame.value = std::move(value);
    frame.line = at;
    frame.anchor = std::move(anchor);
    frame.values_before = values_;
    stack_.push_back(std::move(frame));
  }
  void close() {
    Frame done = std::move(stack_.back());
    stack_.pop_back();
    for (const Json& from : done.merged) {
      for (const auto& [name, value] : from.members()) {
        if (!done.value.has(name)) done.value.set(name, value);
      }
    }
    const std::size_t size = values_ - done.values_before + 1;
    if (!done.anchor.empty()) anchors_[done.anchor] = {done.value, size};
    add(done.line, "", std::move(done.value));
  }
  void add(std::size_t at, const std::string& anchor, Json value) {
    ++values_;
    if (!anchor.empty()) anchors_[anchor] = {value, 1};
    if (stack_.empty()) {
      root = std::move(value);
      return;
    }
    Frame& top = stack_.back();
    if (top.value.is_array()) return top.value.push(std::move(value));
    if (!top.has_key) {  // an alias
      if (!value.is_string()) return fail(at, "a map key must be a scalar");
      return set_key(at, "", value.as_string());
    }
    top.has_key = false;
    if (merges_ && top.key == kMergeKey) return merge(at, top, std::move(value));
    top.value.set(top.key, std::move(value));
  }
  void merge(std::size_t at, Frame& top, Json value) {
    merges_ = false;
    const std::vector<Json> many = value.is_array() ? value.items() : std::vector<Json>{value};
    for (const Json& one : many) {
      if (!one.is_object()) return fail(at, "\"<<\" takes a map or a list of maps");
      top.merged.push_back(one);
    }
  }

  std::vector<Frame> stack_;
  std::map<std::string, Anchored, std::less<>> anchors_;
  std::size_t values_ = 0;
  std::size_t expanded_ = 0;
  bool merges_ = false;
};

// libyaml's parser over borrowed text.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    WEIR_CHECK(yaml_parser_initialize(&parser_) == 1);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() { yaml_parser_delete(&parser_); }

  // Hands the next event to the builder. False after the last one and after an error, which is then
  // in builder.error.
  bool next(Builder& builder) {
    yaml_event_t event;
    if (yaml_parser_parse(&parser_, &event) == 0) {
      builder.error = problem();
      return false;
    }
    builder.take(event);
    const bool last = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    return !last && builder.error.empty();
  }

 private:
  std::string problem() const {
    std::size_t line = line_of(parser_.problem_mark);
    if (parser_.error == YAML_READER_ERROR) {  // which has a byte instead of a mark
      const auto end = static_cast<std::ptrdiff_t>(std::min(parser_.problem_offset, text_.size()));
      line = 1 + static_cast<std::size_t>(std::count(text_.begin(), text_.begin() + end, '\n'));
    }
    std::string out = at_line(line) + (parser_.problem != nullptr ? parser_.problem : "no memory");
    if (parser_.context != nullptr) out.append(" ").append(parser_.context);
    return out;
  }

  std::string_view text_;
  yaml_parser_t parser_;
};

}  // namespace

Json yaml_plain_scalar(std::string_view text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return Json();
  if (is_one_of(text, {"true", "True", "TRUE"})) return Json(true);
  if (is_one_of(text, {"false", "False", "FALSE"})) return Json(false);
  if (const auto number = whole_number(text)) return Json(*number);
  if (const auto number = real_number(text)) return Json(*number);
  return Json(text);
}

base::Result<std::vector<YamlDocument>> parse_yaml(std::string_view text) {
  std::vector<YamlDocument> out;
  Parser parser(text);
  Builder builder;
  while (parser.next(builder)) {
    if (!builder.complete) continue;
    builder.complete = false;
    if (!builder.root.is_null()) {
      out.push_back({std::move(builder.root), static_cast<int>(builder.line)});
    }
  }
  if (!builder.error.empty()) return base::invalid(builder.error);
  return out;
}

}  // namespace weir::kubernetes
