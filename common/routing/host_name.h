#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace weir::routing {

// The normal form of a host as a client wrote it, without allocation: lower case, without port and
// trailing dot. A value type of one request.
class HostName {
 public:
  // Longest name of DNS with room for a port and a dot; longer text is no host.
  static constexpr std::size_t kMostBytes = 255;

  explicit HostName(std::string_view host);
  bool valid() const { return size_ > 0; }
  // Empty when the text cannot be a host: bad bytes, empty labels, userinfo, a port over 65535.
  std::string_view text() const { return {buffer_.data(), size_}; }

 private:
  bool copy(std::string_view name);

  std::array<char, kMostBytes> buffer_;
  std::size_t size_ = 0;
};

}  // namespace weir::routing
