#include "tests/bytes/corpus.h"

#include <fstream>
#include <iterator>

#include "common/base/text.h"

namespace weir::bytes {
namespace {

constexpr std::size_t kMostRepeats = 1'000'000;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<char> simple_escape(char c) {
  switch (c) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '\\':
    case '"':
      return c;
    default:
      return std::nullopt;
  }
}

// Reads one escape at the front of text (behind the backslash) into out; false when malformed.
bool read_escape(std::string_view& text, std::string& out) {
  if (text.empty()) return false;
  if (const auto simple = simple_escape(text.front())) {
    out += *simple;
    text.remove_prefix(1);
    return true;
  }
  if (text.front() == 'x') {
    const int high = text.size() > 2 ? hex_digit(text[1]) : -1;
    const int low = text.size() > 2 ? hex_digit(text[2]) : -1;
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
    text.remove_prefix(3);
    return true;
  }
  const std::size_t star = text.find('*');
  const std::size_t close = text.find('}');
  if (text.front() != '{' || close == std::string_view::npos || star > close) return false;
  const auto times = base::parse_uint(text.substr(1, star - 1));
  const auto part = unescape(text.substr(star + 1, close - star - 1));
  if (!times || *times > kMostRepeats || !part) return false;
  for (std::uint64_t i = 0; i < *times; ++i) out += *part;
  text.remove_prefix(close + 1);
  return true;
}

std::optional<std::string> unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  return unescape(text.substr(1, text.size() - 2));
}

// Reads one line of a case into it; false when malformed.
bool read_line(std::string_view key, std::string_view value, Case& c) {
  Forwarded* last = c.forwarded.empty() ? nullptr : &c.forwarded.back();
  if (key == "row") {
    const auto row = base::parse_int(value);
    c.row = static_cast<int>(row.value_or(0));
    return row.has_value();
  }
  if (key == "rule") {
    c.rule = value;
    return !value.empty();
  }
  if (key == "only-process") return c.only_process = true;
  if (key == "only-codec") return c.only_codec = true;
  if (key == "in" || key == "body") {
    const auto bytes = unquote(value);
    if (!bytes || (key == "body" && last == nullptr)) return false;
    (key == "in" ? c.bytes : last->body) += *bytes;
    return true;
  }
  if (key == "refused") {
    c.refused = static_cast<int>(base::parse_int(value).value_or(0));
    return c.refused >= 400 && c.refused < 600;
  }
  if (key == "forwards") {
    const auto words = base::split(value, ' ');
    if (words.size() < 2 || words.size() > 3) return false;
    c.forwarded.push_back(Forwarded{std::string(words[0]),
                                    std::string(words[1]),
                                    words.size() > 2 ? std::string(words[2]) : "",
                                    {},
                                    {},
                                    ""});
    return true;
  }
  if (last == nullptr) return false;
  if (key == "lacks") {
    last->absent.emplace_back(value);
    return !value.empty();
  }
  if (key != "has") return false;
  const auto line = unquote(value);
  const std::size_t colon = line ? line->find(": ") : std::string::npos;
  if (colon == std::string::npos) return false;
  last->fields.emplace_back(line->substr(0, colon), line->substr(colon + 2));
  return true;
}

}  // namespace

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\') {
      out += c;
    } else if (!read_escape(text, out)) {
      return std::nullopt;
    }
  }
  return out;
}

base::Result<std::vector<Case>> parse_corpus(std::string_view text) {
  std::vector<Case> cases;
  int number = 0;
  for (const std::string_view whole : base::split(text, '\n')) {
    ++number;
    const std::string_view line = base::trim(whole);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t space = line.find(' ');
    const std::string_view key = line.substr(0, space);
    const std::string_view value =
        space == std::string_view::npos ? "" : base::trim(line.substr(space));
    if (key == "case") {
      cases.push_back(Case{});
      cases.back().name = value;
    } else if (cases.empty() || !read_line(key, value, cases.back())) {
      return base::invalid("line " + std::to_string(number) + ": \"" + std::string(line) +
                           "\": expected case, row, rule, in, forwards, has, lacks, body, "
                           "refused, only-process or only-codec with its value");
    }
  }
  return cases;
}

base::Result<std::vector<Case>> load_corpus() {
  const std::string path = WEIR_CORPUS;
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::invalid(path + ": cannot be read");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  auto cases = parse_corpus(text);
  if (!cases.ok()) return std::move(cases).error().within(path);
  return cases;
}

}  // namespace weir::bytes
