#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace weir::model {

// The text from which a request's hash key is made, with nginx's variables: "$request_uri$host",
// "${arg_user}-fixed". Compiled once; the same code judges it in the controller.
class KeyTemplate {
 public:
  enum class Part : std::uint8_t {
    kText,
    kRequestUri,     // $request_uri: target as sent
    kUri,            // $uri: path, percent decoded
    kArgs,           // $args, $query_string
    kHost,           // $host: lower case, no port
    kRemoteAddr,     // $remote_addr
    kBinaryAddr,     // $binary_remote_addr: 4 or 16 bytes
    kRequestMethod,  // $request_method
    kScheme,         // $scheme
    kServerPort,     // $server_port
    kArg,            // $arg_NAME: first parameter of that name
    kHeader,         // $http_NAME: '_' stands for '-'
    kCookie          // $cookie_NAME
  };
  struct Piece {
    Part part = Part::kText;
    std::string text;  // the literal, or NAME; of kHeader in lower case with '-'
  };

  //   errors: kInvalid naming the variable that is not known, or an empty text. At most 32 pieces
  //           and 1,024 bytes.
  static base::Result<KeyTemplate> parse(std::string_view text);

  const std::vector<Piece>& pieces() const { return pieces_; }
  bool empty() const { return pieces_.empty(); }

 private:
  base::Result<void> add_variable(std::string_view name);
  void add_text(std::string_view text);
  std::vector<Piece> pieces_;
};

}  // namespace weir::model
