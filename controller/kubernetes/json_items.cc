#include "controller/kubernetes/json_items.h"

namespace weir::kubernetes {
namespace {

constexpr std::size_t kMaxRestBytes = 1024 * 1024;

base::Error broken(std::string text) {
  return base::Error{base::ErrorKind::kProtocol, base::Origin::kUpstream, false, std::move(text)};
}

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

base::Result<base::Json> parse_piece(std::string_view what, std::string_view text) {
  auto value = base::Json::parse(text);
  if (!value) return broken(std::string(what) + ": " + value.error().text);
  if (!value.value().is_object()) return broken(std::string(what) + ": not a JSON object");
  return value;
}

}  // namespace

void JsonNesting::feed(char c) {
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return;
  }
  if (c == '"') in_string_ = true;
  if (c == '{' || c == '[') ++depth_;
  if (c == '}' || c == ']') --depth_;
}

base::Result<void> ListCutter::feed(std::string_view bytes) {
  for (const char c : bytes) {
    auto fed = feed_byte(c);
    if (!fed) return fed;
  }
  return {};
}

base::Result<void> ListCutter::feed_byte(char c) {
  switch (place_) {
    case Place::kOutside:
      return outside(c);
    case Place::kItems:
      return between_items(c);
    case Place::kItem:
      break;
  }
  if (item_.size() >= kMaxItemBytes) return broken("list item: longer than 4 MiB");
  item_ += c;
  nesting_.feed(c);
  if (nesting_.depth() == 2 && !nesting_.in_string() && (c == '}' || c == ']')) return end_item();
  return {};
}

base::Result<void> ListCutter::outside(char c) {
  if (done_) return is_blank(c) ? base::Result<void>() : broken("list: bytes after its end");
  if (rest_.size() >= kMaxRestBytes) return broken("list: fields besides the items exceed 1 MiB");
  const bool was_string = nesting_.in_string();
  nesting_.feed(c);
  rest_ += c;
  if (nesting_.depth() == 1 && c == '"' && !was_string) key_at_ = rest_.size() - 1;
  if (nesting_.depth() == 2 && c == '[' && items_next_ && !was_string) place_ = Place::kItems;
  if (was_string || nesting_.in_string() || is_blank(c)) return {};
  items_next_ = c == ':' && nesting_.depth() == 1 &&
                std::string_view(rest_).substr(key_at_).starts_with("\"items\"");
  if (nesting_.depth() <= 0) done_ = true;
  return {};
}

base::Result<void> ListCutter::between_items(char c) {
  if (c == ',' || is_blank(c)) return {};
  if (c == ']') {
    nesting_.feed(c);
    rest_ += c;
    items_next_ = false;
    place_ = Place::kOutside;
    return {};
  }
  if (c != '{') return broken("list item: not a JSON object");
  nesting_.feed(c);
  item_.assign(1, c);
  place_ = Place::kItem;
  return {};
}

base::Result<void> ListCutter::end_item() {
  auto value = parse_piece("list item", item_);
  if (!value) return std::move(value).error();
  item_.clear();
  place_ = Place::kItems;
  on_item_(std::move(value).value());
  return {};
}

base::Result<base::Json> ListCutter::finish() {
  if (!done_) return broken("list: the body ended early");
  return parse_piece("list", rest_);
}

base::Result<void> EventCutter::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (event_.empty() && is_blank(c)) continue;
    if (event_.empty() && c != '{') return broken("watch event: not a JSON object");
    if (event_.size() >= kMaxItemBytes) return broken("watch event: longer than 4 MiB");
    event_ += c;
    nesting_.feed(c);
    if (nesting_.depth() > 0 || nesting_.in_string()) continue;
    auto value = parse_piece("watch event", event_);
    if (!value) return std::move(value).error();
    event_.clear();
    on_event_(std::move(value).value());
  }
  return {};
}

}  // namespace weir::kubernetes
