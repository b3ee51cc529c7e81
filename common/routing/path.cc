#include "common/routing/path.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "common/routing/route_table.h"

namespace weir::routing {
namespace {

enum class Params { kKeep, kCutRaw, kCutDecoded };
enum class Dots { kMergeFirst, kMergeLast, kKeep };

// One way to read a path. The default is normal_path's.
struct Rule {
  bool slash = false;      // %2f is '/'
  bool backslash = false;  // '\' is '/'
  Params params = Params::kKeep;
  bool again = false;  // decode what decoding brought to light
  Dots dots = Dots::kMergeFirst;
};

constexpr int kMostDecodings = 4;

constexpr bool is_control(unsigned char c) { return c <= 0x20 || c == 0x7f; }

constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0; c < 256; ++c) {
    plain[c] = c > 0x20 && c < 0x7f && c != '%' && c != '\\' && c != ';' && c != '#' && c != '/';
  }
  return plain;
}
constexpr std::array<bool, 256> kPlain = make_plain();

// The byte that the escape at text[at] stands for, -1 when there is none.
int escape_at(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') return -1;
  const int high = base::hex_value(text[at + 1]);
  const int low = base::hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool never_raw(int byte) {
  static constexpr std::string_view kSigns = "\"<>^`{|}[]";
  return byte == ' ' || byte >= 0x80 ||
         (byte > 0x20 && kSigns.find(static_cast<char>(byte)) != std::string_view::npos);
}

// One round. strict: a broken escape is an error, else it stays. NUL is always an error.
bool decode(std::string_view text, bool slash, bool strict, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int byte = escape_at(text, i);
    if (byte == 0 || (byte < 0 && strict)) return false;
    if (byte < 0) {
      out += '%';
      continue;
    }
    if (byte == '/' && !slash) {
      out += "%2F";
    } else {
      out += static_cast<char>(byte);
    }
    i += 2;
  }
  return true;
}

bool decode_all(std::string& text, bool slash) {
  std::string next;
  for (int round = 1; round < kMostDecodings; ++round) {
    if (!decode(text, slash, false, next)) return false;
    if (next == text) return true;
    text.swap(next);
  }
  return false;
}

void cut_params(std::string& text) {
  std::size_t kept = 0;
  bool cutting = false;
  for (const char c : text) {
    if (c == '/') cutting = false;
    if (c == ';') cutting = true;
    if (!cutting) text[kept++] = c;
  }
  text.resize(kept);
}

void merge_slashes(std::string& text) {
  text.erase(
      std::unique(text.begin(), text.end(), [](char a, char b) { return a == '/' && b == '/'; }),
      text.end());
}

// RFC 3986 section 5.2.4, but a ".." above the root is an error.
bool resolve_dots(std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('/', at + 1), text.size());
    const std::string_view segment = std::string_view(text).substr(at + 1, end - at - 1);
    const bool last = end == text.size();
    if (segment == "..") {
      if (out.empty()) return false;
      out.resize(out.rfind('/'));
    }
    if (segment != "." && segment != "..") {
      out.append(text, at, end - at);
    } else if (last) {
      out += '/';
    }
    at = end;
  }
  text.swap(out);
  return true;
}

// text must begin with '/'.
std::optional<std::string> read(std::string_view path, const Rule& rule) {
  std::string raw(path);
  if (rule.params == Params::kCutRaw) cut_params(raw);
  std::string text;
  if (!decode(raw, rule.slash, true, text)) return std::nullopt;
  if (rule.again && !decode_all(text, rule.slash)) return std::nullopt;
  if (rule.backslash) std::replace(text.begin(), text.end(), '\\', '/');
  if (rule.params == Params::kCutDecoded) cut_params(text);
  if (rule.dots == Dots::kMergeLast && !resolve_dots(text)) return std::nullopt;
  merge_slashes(text);
  if (rule.dots == Dots::kMergeFirst && !resolve_dots(text)) return std::nullopt;
  return text;
}

// A longer UTF-8 form than the character needs (RFC 3629 section 3).
bool has_overlong(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if ((second & 0xc0) != 0x80) continue;
    if (first == 0xc0 || first == 0xc1) return true;
    if ((first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90)) return true;
  }
  return false;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// What the path can express; empty when it is bad.
struct Features {
  bool slash = false;
  bool backslash = false;
  bool params = false;
  bool again = false;
  bool dots = false;
};
std::optional<Features> features_of(std::string_view path) {
  std::string once;
  if (!decode(path, true, true, once)) return std::nullopt;
  std::string all = once;
  std::string kept;
  if (!decode_all(all, true) || !decode(path, false, true, kept) || !decode_all(kept, false)) {
    return std::nullopt;
  }
  if (has_overlong(once) || has_overlong(all)) return std::nullopt;
  Features out;
  out.slash = has(kept, "%2F");
  out.backslash = has(all, "\\");
  out.params = has(all, ";");
  out.again = once != all;
  std::replace(all.begin(), all.end(), '\\', '/');
  out.dots = has(all, "/.");
  return out;
}

std::vector<Rule> rules_of(const Features& features) {
  std::vector<Rule> rules{Rule{}};
  const auto vary = [&rules](bool wanted, auto&& change) {
    const std::size_t before = wanted ? rules.size() : 0;
    for (std::size_t i = 0; i < before; ++i) {
      Rule other = rules[i];
      change(other);
      rules.push_back(other);
    }
  };
  vary(features.slash, [](Rule& rule) { rule.slash = true; });
  vary(features.backslash, [](Rule& rule) { rule.backslash = true; });
  vary(features.again, [](Rule& rule) { rule.again = true; });
  std::vector<Rule> plain = rules;
  vary(features.params, [](Rule& rule) { rule.params = Params::kCutDecoded; });
  for (Rule rule : plain) {
    rule.params = Params::kCutRaw;
    if (features.params) rules.push_back(rule);
  }
  plain = rules;
  vary(features.dots, [](Rule& rule) { rule.dots = Dots::kMergeLast; });
  for (Rule rule : plain) {
    rule.dots = Dots::kKeep;
    if (features.dots) rules.push_back(rule);
  }
  return rules;
}

}  // namespace

bool is_clean(std::string_view path) {
  if (path.empty() || path.front() != '/') return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (kPlain[static_cast<unsigned char>(path[i])]) continue;
    if (path[i] != '/') return false;
    const char next = i + 1 < path.size() ? path[i + 1] : 'x';
    if (next == '/') return false;
    if (next != '.') continue;
    const char after = i + 2 < path.size() ? path[i + 2] : '/';
    if (after == '/' || after == '.') return false;
  }
  return true;
}

Readings readings_of(std::string_view path) {
  Readings out;
  const bool odd = std::any_of(path.begin(), path.end(), [](char c) {
    return c == '#' || is_control(static_cast<unsigned char>(c));
  });
  const auto features =
      path.empty() || path.front() != '/' || odd ? std::nullopt : features_of(path);
  if (!features.has_value()) {
    out.state = Readings::State::kBad;
    return out;
  }
  const std::vector<Rule> rules = rules_of(*features);
  if (rules.size() * path.size() > Readings::kMostWork) {
    out.state = Readings::State::kTooMany;
    return out;
  }
  out.texts.push_back(as_written(path));
  for (const Rule& rule : rules) {
    auto text = read(path, rule);
    if (!text.has_value()) {
      out.state = Readings::State::kBad;
      return out;
    }
    if (std::find(out.texts.begin(), out.texts.end(), *text) == out.texts.end()) {
      out.texts.push_back(std::move(*text));
    }
  }
  return out;
}

std::string as_written(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    const int byte = escape_at(path, i);
    if (byte >= 0 && never_raw(byte)) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += path[i];
    }
  }
  return out;
}

std::optional<std::string> normal_path(std::string_view raw_path) {
  if (raw_path.empty() || raw_path.front() != '/') return std::nullopt;
  if (raw_path.find('\0') != std::string_view::npos) return std::nullopt;
  return read(raw_path, Rule{});
}

}  // namespace weir::routing
