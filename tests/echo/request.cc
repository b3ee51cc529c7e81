#include "tests/echo/request.h"

#include "common/base/text.h"

namespace weir::echo {
namespace {

// Length of a chunked body from `at` on, end included, and its data bytes; empty: more is needed.
std::optional<std::pair<std::size_t, std::size_t>> chunked_size(std::string_view bytes,
                                                                std::size_t at) {
  std::size_t data = 0;
  while (true) {
    const std::size_t line = bytes.find("\r\n", at);
    if (line == std::string_view::npos) return std::nullopt;
    const auto size = std::strtoul(std::string(bytes.substr(at, line - at)).c_str(), nullptr, 16);
    at = line + 2;
    if (size == 0) {
      // Trailers up to an empty line.
      while (true) {
        const std::size_t end = bytes.find("\r\n", at);
        if (end == std::string_view::npos) return std::nullopt;
        const bool last = end == at;
        at = end + 2;
        if (last) return std::pair(at, data);
      }
    }
    if (bytes.size() < at + size + 2) return std::nullopt;
    data += size;
    at += size + 2;
  }
}

Request parse_head(std::string_view head) {
  Request out;
  bool first = true;
  for (std::string_view line : base::split(head, '\n')) {
    line = base::trim(line);
    if (first) {
      const auto words = base::split(line, ' ');
      out.method = words[0];
      if (words.size() > 1) out.target = words[1];
      first = false;
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      out.headers.emplace_back(line.substr(0, colon), base::trim(line.substr(colon + 1)));
    }
  }
  return out;
}

}  // namespace

std::string Request::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (base::to_lower(name) == lower_name) return value;
  }
  return "";
}

long Request::parameter(std::string_view name, long fallback) const {
  const std::size_t question = target.find('?');
  if (question == std::string::npos) return fallback;
  for (const std::string_view part :
       base::split(std::string_view(target).substr(question + 1), '&')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || part.substr(0, equals) != name) continue;
    return base::parse_int(part.substr(equals + 1)).value_or(fallback);
  }
  return fallback;
}

std::optional<Request> take_request(std::string& bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  Request out = parse_head(std::string_view(bytes).substr(0, end));
  std::size_t whole = end + 4;
  if (base::to_lower(out.header("transfer-encoding")) == "chunked") {
    const auto body = chunked_size(bytes, whole);
    if (!body) return std::nullopt;
    whole = body->first;
    out.body_bytes = body->second;
  } else {
    out.body_bytes = base::parse_uint(out.header("content-length")).value_or(0);
    whole += out.body_bytes;
    if (bytes.size() < whole) return std::nullopt;
  }
  bytes.erase(0, whole);
  return out;
}

}  // namespace weir::echo
