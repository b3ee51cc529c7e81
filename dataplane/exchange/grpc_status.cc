#include "dataplane/exchange/grpc_status.h"

#include <algorithm>
#include <array>
#include <string>

#include "common/base/text.h"
#include "dataplane/exchange/error_page.h"

namespace weir::exchange {
namespace {

constexpr std::string_view kType = "application/grpc";

enum GrpcStatus {
  kUnknown = 2,
  kDeadlineExceeded = 4,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16
};

struct Unit {
  char letter;
  std::int64_t microseconds;
};
constexpr std::array<Unit, 5> kUnits = {
    {{'H', 3'600'000'000}, {'M', 60'000'000}, {'S', 1'000'000}, {'m', 1'000}, {'u', 1}}};

// Printable ASCII but '%' stands for itself.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '%') {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

}  // namespace

bool is_grpc(const codec::Head& request) {
  const auto type = request.find(codec::FieldId::kContentType);
  if (!type || !base::starts_with_ignore_case(*type, kType)) return false;
  const std::string_view rest = type->substr(kType.size());
  return rest.empty() || rest[0] == '+' || rest[0] == ';';
}

int grpc_status_of(int http_status, bool deadline) {
  if (deadline) return kDeadlineExceeded;
  switch (http_status) {
    case 400:
      return kInternal;
    case 401:
      return kUnauthenticated;
    case 403:
      return kPermissionDenied;
    case 404:
      return kUnimplemented;
    case 413:
      return kResourceExhausted;
    case 429:
    case 502:
    case 503:
    case 504:
      return kUnavailable;
    default:
      return kUnknown;
  }
}

void become_grpc_reply(codec::Head& response, bool deadline) {
  const int status = response.status();
  std::string message = std::to_string(status) + " ";
  message += status_phrase(status);
  response.set_status(200, status_phrase(200));
  response.set("Content-Type", kType);
  add_grpc_status(response, grpc_status_of(status, deadline), message);
}

void add_grpc_status(codec::Head& trailers, int status, std::string_view message) {
  trailers.set("grpc-status", std::to_string(status));
  trailers.set("grpc-message", percent_encoded(message));
}

std::optional<std::chrono::microseconds> grpc_timeout(const codec::Head& request) {
  constexpr std::size_t kMostDigits = 8;
  const auto text = request.find("grpc-timeout");
  if (!text || text->size() < 2 || text->size() > kMostDigits + 1) return std::nullopt;
  const auto count = base::parse_uint(text->substr(0, text->size() - 1));
  if (!count) return std::nullopt;
  const auto value = static_cast<std::int64_t>(*count);
  if (text->back() == 'n') return std::chrono::microseconds(std::max<std::int64_t>((value + 999) / 1'000, 1));
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [&](const Unit& u) { return u.letter == text->back(); });
  if (unit == kUnits.end()) return std::nullopt;
  return std::chrono::microseconds(std::max<std::int64_t>(value * unit->microseconds, 1));
}

}  // namespace weir::exchange
