#include "controller/peers/ack_line.h"

#include "common/base/json.h"

namespace weir::peers {

std::string to_line(const Acks& acks) {
  base::Json applied = base::Json::object();
  for (const auto& [kind, version] : acks) applied.set(kind, version);
  base::Json out = base::Json::object();
  out.set("applied", std::move(applied));
  return out.to_string();
}

base::Result<Acks> parse_line(std::string_view line) {
  constexpr std::size_t kMostKinds = 10'000;
  const auto read = base::Json::parse(line);
  const auto wrong = [] {
    return base::invalid("a line is not a JSON object with applied, an object of kind and version");
  };
  if (!read.ok() || !read.value()["applied"].is_object()) return wrong();
  const auto& members = read.value()["applied"].members();
  if (members.size() > kMostKinds) return wrong();
  Acks out;
  for (const auto& [kind, version] : members) {
    if (!version.is_string()) return wrong();
    out[kind] = version.as_string();
  }
  return out;
}

}  // namespace weir::peers
