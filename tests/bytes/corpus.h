#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace weir::bytes {

// The strictness corpus: what a client may send over one HTTP/1 connection and what must become of
// it. corpus.txt is the data; its head explains the format.

// One message that must reach the upstream, whole, in this order.
struct Forwarded {
  std::string method;
  std::string target;
  std::string authority;                                    // empty: not looked at
  std::vector<std::pair<std::string, std::string>> fields;  // must be there, name in any case
  std::vector<std::string> absent;                          // names that must not be there
  std::string body;
};

struct Case {
  std::string name;
  int row = 0;       // of the table of attack classes
  std::string rule;  // RFC section, or "ours: …" for a stated deviation
  std::string bytes;
  std::vector<Forwarded> forwarded;
  int refused = 0;  // status of the answer that follows them and closes; 0: nothing is refused
  bool only_process = false;  // the codec alone cannot show it; for the runner over real sockets
  bool only_codec = false;    // behind a listener another protocol takes it
};

// Reads a corpus. errors: kInvalid naming the line and what was expected there. Any thread.
base::Result<std::vector<Case>> parse_corpus(std::string_view text);
// The corpus of the repository; a broken file is an error that names it.
base::Result<std::vector<Case>> load_corpus();

// Undoes the escapes of a quoted text: \r \n \t \0 \\ \" \xHH, and \{N*c} for N times the
// (escaped) text c. Empty optional on anything else.
std::optional<std::string> unescape(std::string_view text);

}  // namespace weir::bytes
