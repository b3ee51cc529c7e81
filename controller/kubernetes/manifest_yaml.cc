#include "controller/kubernetes/manifest_yaml.h"

#include <yaml-cpp/yaml.h>
// The event interface; yaml.h leaves it out.
#include <yaml-cpp/eventhandler.h>

#include <charconv>
#include <istream>
#include <map>
#include <streambuf>
#include <string>

#include "common/base/text.h"

namespace weir::kubernetes {
namespace {

using base::Json;

constexpr std::size_t kMaxExpanded = 200'000;
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

std::string at_line(const YAML::Mark& mark) {
  return mark.is_null() ? std::string("line 1") : "line " + std::to_string(mark.line + 1);
}

// Builds Json from yaml-cpp's events. Invariants: (1) stack_ holds the open collections; (2) after
// the first error events change nothing more, since the library cannot be stopped without a throw.
class Builder final : public YAML::EventHandler {
 public:
  std::string error;
  Json root;
  int line = 0;

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp does not consume a stray ',' and would begin documents there for ever.
    if (mark.pos == document_at_) fail(mark, "a token that belongs nowhere");
    document_at_ = mark.pos;
    root = Json();
    line = mark.line + 1;
    anchors_.clear();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, Json()); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return fail(mark, "alias of an anchor that is not complete");
    values_ += found->second.size;
    expanded_ += found->second.size;
    if (expanded_ > kMaxExpanded) fail(mark, "aliases expand to more than 200000 values");
    if (!error.empty()) return add(mark, 0, Json());
    add(mark, 0, found->second.value);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool plain = tag == "?";
    if (wants_key()) {
      if (plain && value == kMergeKey) merges_ = true;
      return set_key(mark, anchor, value);
    }
    add(mark, anchor, plain || tagged_scalar(tag) ? yaml_plain_scalar(value) : Json(value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, Json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, Json::object());
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Json value;
    std::string key;
    bool has_key = false;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    std::size_t values_before = 0;
    std::vector<Json> merged;
  };
  struct Anchored {
    Json value;
    std::size_t size = 1;
  };

  static bool tagged_scalar(std::string_view tag) {
    return is_one_of(tag, {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float",
                           "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"});
  }
  bool wants_key() const {
    return !stack_.empty() && stack_.back().value.is_object() && !stack_.back().has_key;
  }
  void fail(const YAML::Mark& mark, std::string reason) {
    if (error.empty()) error = at_line(mark) + ": " + std::move(reason);
  }
  void set_key(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& key) {
    if (anchor != 0) anchors_[anchor] = {Json(key), 1};
    Frame& top = stack_.back();
    if (top.value.has(key)) fail(mark, "key \"" + key + "\" stands twice in one map");
    top.key = key;
    top.has_key = true;
  }
  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Json value) {
    if (wants_key()) fail(mark, "a map key must be a scalar");
    Frame frame;
    frame.value = std::move(value);
    frame.mark = mark;
    frame.anchor = anchor;
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
    if (done.anchor != 0) anchors_[done.anchor] = {done.value, size};
    add(done.mark, 0, std::move(done.value));
  }
  void add(const YAML::Mark& mark, YAML::anchor_t anchor, Json value) {
    ++values_;
    if (!error.empty()) value = Json();
    if (anchor != 0) anchors_[anchor] = {value, 1};
    if (stack_.empty()) {
      root = std::move(value);
      return;
    }
    Frame& top = stack_.back();
    if (top.value.is_array()) return top.value.push(std::move(value));
    if (!top.has_key)
      return set_key(mark, 0, value.is_string() ? value.as_string() : value.to_string());
    top.has_key = false;
    if (merges_ && top.key == kMergeKey) return merge(mark, top, std::move(value));
    top.value.set(top.key, std::move(value));
  }
  void merge(const YAML::Mark& mark, Frame& top, Json value) {
    merges_ = false;
    const std::vector<Json> many = value.is_array() ? value.items() : std::vector<Json>{value};
    for (const Json& one : many) {
      if (!one.is_object()) return fail(mark, "\"<<\" takes a map or a list of maps");
      top.merged.push_back(one);
    }
  }

  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  int document_at_ = -1;
  std::size_t values_ = 0;
  std::size_t expanded_ = 0;
  bool merges_ = false;
};

// A stream over borrowed bytes: no copy of the file.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // a get area is never written
    setg(begin, begin, begin + text.size());
  }
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
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  Builder builder;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
      if (!builder.error.empty()) return base::invalid(builder.error);
      if (!builder.root.is_null()) out.push_back({std::move(builder.root), builder.line});
    }
  } catch (const YAML::Exception& broken) {
    return base::invalid(at_line(broken.mark) + ": " + broken.msg);
  }
  return out;
}

}  // namespace weir::kubernetes
