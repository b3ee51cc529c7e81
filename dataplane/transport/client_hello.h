#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::transport {

// The first bytes of a client's connection, read without a TLS library: what protocol it speaks,
// and from a TLS ClientHello the server name and the protocols it offers (RFC 8446 section 4.1.2,
// RFC 6066 section 3, RFC 7301). Pure functions, bounded work, any thread.

enum class Opening : std::uint8_t { kTls, kPlainHttp, kOther };
// bytes: at least one. A TLS record starts with 0x16; an HTTP method is letters up to a blank.
Opening judge_opening(std::string_view bytes);

struct ClientHello {
  std::string server_name;        // lower case; empty when the client sent none
  std::vector<std::string> alpn;  // in the client's order, at most 16
};

enum class HelloOutcome : std::uint8_t { kIncomplete, kDone, kInvalid };
inline constexpr std::size_t kRecordHeader = 5;  // bytes of a TLS record (RFC 8446 section 5.1)
inline constexpr std::size_t kLongestHello = 64 * 1024;  // longer: kInvalid

// How many bytes of the start of a connection a ClientHello that begins like these needs, as far as
// they tell: bytes.size() or less once it is whole, or when they can never become one, which is
// then for the TLS library to say. Looks at the heads of records only. bytes: at least one.
std::size_t hello_size(std::string_view bytes);

// Reads a ClientHello from the start of a connection; it may span several records. out is complete
// when the outcome is kDone. kInvalid: these bytes can never become a ClientHello.
HelloOutcome parse_client_hello(std::string_view bytes, ClientHello& out);

}  // namespace weir::transport
