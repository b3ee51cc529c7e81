#include "common/model/key_template.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace weir::model {
namespace {

using Part = KeyTemplate::Part;

constexpr std::size_t kMostBytes = 1'024;
constexpr std::size_t kMostPieces = 32;

struct Variable {
  std::string_view name;
  Part part;
};
constexpr std::array<Variable, 10> kVariables = {{{"request_uri", Part::kRequestUri},
                                                  {"uri", Part::kUri},
                                                  {"args", Part::kArgs},
                                                  {"query_string", Part::kArgs},
                                                  {"host", Part::kHost},
                                                  {"remote_addr", Part::kRemoteAddr},
                                                  {"binary_remote_addr", Part::kBinaryAddr},
                                                  {"request_method", Part::kRequestMethod},
                                                  {"scheme", Part::kScheme},
                                                  {"server_port", Part::kServerPort}}};
constexpr std::array<Variable, 3> kFamilies = {
    {{"arg_", Part::kArg}, {"http_", Part::kHeader}, {"cookie_", Part::kCookie}}};

constexpr std::string_view kKnown =
    "$request_uri, $uri, $args, $host, $remote_addr, $binary_remote_addr, $request_method, "
    "$scheme, $server_port, $arg_NAME, $http_NAME, $cookie_NAME";

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::size_t name_size(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_name) -
                                  text.begin());
}

}  // namespace

base::Result<void> KeyTemplate::add_variable(std::string_view name) {
  for (const Variable& one : kVariables) {
    if (name != one.name) continue;
    pieces_.push_back({one.part, {}});
    return {};
  }
  for (const Variable& family : kFamilies) {
    if (!name.starts_with(family.name) || name.size() == family.name.size()) continue;
    std::string rest(name.substr(family.name.size()));
    if (family.part == Part::kHeader) {
      rest = base::to_lower(rest);
      std::replace(rest.begin(), rest.end(), '_', '-');
    }
    pieces_.push_back({family.part, std::move(rest)});
    return {};
  }
  return base::invalid("variable $" + std::string(name) + " is not one of " + std::string(kKnown));
}

void KeyTemplate::add_text(std::string_view text) {
  if (!pieces_.empty() && pieces_.back().part == Part::kText) {
    pieces_.back().text += text;
  } else {
    pieces_.push_back({Part::kText, std::string(text)});
  }
}

base::Result<KeyTemplate> KeyTemplate::parse(std::string_view text) {
  KeyTemplate out;
  if (text.empty()) return base::invalid("must not be empty");
  if (text.size() > kMostBytes) return base::invalid("is longer than 1024 bytes");
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    if (dollar != 0) out.add_text(text.substr(0, dollar));
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    const bool braced = text.starts_with('{');
    if (braced) text.remove_prefix(1);
    const std::size_t size = name_size(text);
    if (size == 0 || (braced && text.substr(size, 1) != "}")) {
      return base::invalid("has a '$' that begins no variable: \"$name\" or \"${name}\"");
    }
    if (auto added = out.add_variable(text.substr(0, size)); !added.ok()) return added.error();
    text.remove_prefix(size + (braced ? 1 : 0));
    if (out.pieces_.size() > kMostPieces) return base::invalid("has more than 32 parts");
  }
  return out;
}

}  // namespace weir::model
