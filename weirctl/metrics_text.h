#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace weir::weirctl {

// One line of the Prometheus text format (version 0.0.4).
struct MetricLine {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

// Calls take(line) for every line that is a sample, in order.
//   errors: kInvalid with the number of the first line that is none, a comment or blank.
template <typename Take>
base::Result<void> read_metrics(std::string_view text, Take take);

//   errors: kInvalid: it is no sample.
base::Result<MetricLine> read_metric_line(std::string_view line);

template <typename Take>
base::Result<void> read_metrics(std::string_view text, Take take) {
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    auto sample = read_metric_line(line);
    if (!sample.ok())
      return std::move(sample).error().within("metrics, line " + std::to_string(number));
    take(sample.value());
  }
  return {};
}

}  // namespace weir::weirctl
