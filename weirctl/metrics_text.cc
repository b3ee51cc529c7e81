#include "weirctl/metrics_text.h"

#include <cstdlib>

namespace weir::weirctl {
namespace {

// Reads name="value", … up to the closing brace; gives what stands behind it, or none.
std::optional<std::string_view> read_labels(std::string_view text,
                                            std::map<std::string, std::string>& out) {
  while (!text.empty() && text.front() != '}') {
    const std::size_t equals = text.find("=\"");
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string name(text.substr(0, equals));
    text.remove_prefix(equals + 2);
    std::string value;
    while (!text.empty() && text.front() != '"') {
      if (text.front() == '\\' && text.size() > 1) {
        text.remove_prefix(1);
        value += text.front() == 'n' ? '\n' : text.front();
      } else {
        value += text.front();
      }
      text.remove_prefix(1);
    }
    if (text.empty()) return std::nullopt;
    text.remove_prefix(1);
    out[name] = std::move(value);
    if (!text.empty() && text.front() == ',') text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  return text.substr(1);
}

}  // namespace

base::Result<MetricLine> read_metric_line(std::string_view line) {
  const auto bad = [line] {
    return base::invalid("'" + std::string(line.substr(0, 80)) + "' is no sample");
  };
  MetricLine out;
  const std::size_t end = line.find_first_of("{ ");
  if (end == std::string_view::npos || end == 0) return bad();
  out.name = line.substr(0, end);
  std::string_view rest = line.substr(end);
  if (rest.front() == '{') {
    const auto behind = read_labels(rest.substr(1), out.labels);
    if (!behind) return bad();
    rest = *behind;
  }
  const std::string number(rest);
  char* stop = nullptr;
  out.value = std::strtod(number.c_str(), &stop);
  if (stop == number.c_str() || (*stop != '\0' && *stop != ' ')) return bad();
  return out;
}

}  // namespace weir::weirctl
