#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace weir::crypto {

struct PemBlock {
  std::size_t number = 0;  // in the text, from 1
  std::string der;
};

// The blocks of a PEM text that have one of these names ("CERTIFICATE"), as DER; the bytes of
// others are not kept. what: for errors. Any thread.
//   errors: kInvalid naming the block that cannot be read: "certificates: PEM block 2: bad base64
//   decode".
base::Result<std::vector<PemBlock>> read_pem_blocks(std::string_view pem, std::string_view what,
                                                    std::initializer_list<std::string_view> names);

}  // namespace weir::crypto
