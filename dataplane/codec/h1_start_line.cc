#include "dataplane/codec/h1_start_line.h"

#include <algorithm>

#include "dataplane/codec/h1_scan.h"

namespace weir::codec {
namespace {

constexpr std::size_t kVersionSize = 8;  // "HTTP/1.1"

// Minor version of "HTTP/1.0" or "HTTP/1.1"; -1: another version; -2: not a version at all.
int read_version(std::string_view text) {
  if (text.size() != kVersionSize || text.substr(0, 5) != "HTTP/") return -2;
  if (!is_digit(text[5]) || text[6] != '.' || !is_digit(text[7])) return -2;
  if (text[5] != '1' || text[7] > '1') return -1;
  return text[7] - '0';
}

bool starts_with_scheme(std::string_view target, std::string_view lower_scheme) {
  return target.size() > lower_scheme.size() &&
         same_name(target.substr(0, lower_scheme.size()), lower_scheme);
}

// target_at: where the target begins in the section.
Refusal split_absolute(std::string_view target, std::size_t target_at, Head& head,
                       AbsoluteTarget& absolute) {
  absolute.is_https = starts_with_scheme(target, "https://");
  if (!absolute.is_https && !starts_with_scheme(target, "http://")) {
    return {400, "request line: the target is no path, \"*\" or http(s) URI"};
  }
  const std::size_t scheme = absolute.is_https ? 8 : 7;
  const std::size_t end = std::min(target.find_first_of("/?", scheme), target.size());
  if (end == scheme) return {400, "request line: the target URI has no host"};
  absolute.authority_at = target_at + scheme;
  absolute.authority_size = end - scheme;
  absolute.bare = end == target.size() || target[end] == '?';
  head.set_target_in_block(target_at + end, target.size() - end);
  return {};
}

Refusal read_target(std::string_view target, std::size_t target_at, Head& head,
                    AbsoluteTarget& absolute) {
  if (!std::all_of(target.begin(), target.end(), [](char c) { return is_target_char(c); })) {
    return {400, "request line: the target holds a byte that no URI has, or a fragment"};
  }
  head.set_target_in_block(target_at, target.size());
  if (target.front() == '/') return {};
  return split_absolute(target, target_at, head, absolute);
}

}  // namespace

Refusal read_request_line(const StartLine& line, std::size_t target_limit, Head& head,
                          AbsoluteTarget& absolute) {
  const std::string_view text = line.section.substr(line.at, line.size);
  if (text.empty()) return {400, "request line: empty"};
  const std::size_t first = text.find(' ');
  const std::string_view method = text.substr(0, first);
  if (!is_token(method) || method.size() > kLongestMethod) {
    return {400, "request line: the method is no token of at most 32 bytes"};
  }
  head.set_method_in_block(line.at, method.size());
  if (first == std::string_view::npos) return {400, "request line: only a method"};
  const std::size_t second = text.find(' ', first + 1);
  if (second == std::string_view::npos) return {400, "request line: no HTTP version"};
  const std::string_view target = text.substr(first + 1, second - first - 1);
  if (target.empty()) return {400, "request line: empty target"};
  if (target.size() > target_limit) return {414, "request line: the target is over the limit"};
  const int version = read_version(text.substr(second + 1));
  if (version == -2) return {400, "request line: not of the form METHOD SP target SP HTTP/1.1"};
  if (version == -1) return {505, "request line: only HTTP/1.0 and HTTP/1.1 are spoken here"};
  head.set_version_minor(version);
  if (method == "CONNECT") return {501, "request line: CONNECT is not supported"};
  const std::size_t target_at = line.at + first + 1;
  if (target == "*") {
    head.set_target_in_block(target_at, 1);
    return method == "OPTIONS" ? Refusal{} : Refusal{400, "request line: \"*\" is for OPTIONS"};
  }
  return read_target(target, target_at, head, absolute);
}

Refusal read_status_line(const StartLine& line, Head& head) {
  const std::string_view text = line.section.substr(line.at, line.size);
  const int version = read_version(text.substr(0, kVersionSize));
  if (version < 0) return {502, "status line: the version is not HTTP/1.0 or HTTP/1.1"};
  const std::size_t code_at = kVersionSize + 1;
  if (text.size() < code_at + 3 || text[kVersionSize] != ' ' ||
      !std::all_of(text.begin() + code_at, text.begin() + code_at + 3, is_digit)) {
    return {502, "status line: no status of three digits"};
  }
  const int status =
      (text[code_at] - '0') * 100 + (text[code_at + 1] - '0') * 10 + (text[code_at + 2] - '0');
  if (status < 100) return {502, "status line: the status is below 100"};
  const std::size_t after = code_at + 3;
  if (text.size() > after && text[after] != ' ') {
    return {502, "status line: no space after the status"};
  }
  head.set_version_minor(version);
  head.set_status(status);
  if (text.size() > after + 1) {
    head.set_reason_in_block(line.at + after + 1, text.size() - after - 1);
  }
  return {};
}

}  // namespace weir::codec
