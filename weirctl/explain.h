#pragma once

#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"
#include "weirctl/configuration.h"

namespace weir::weirctl {

// A request to ask about. url: "http://host[:port]/path?query"; headers: "Name: value".
struct Question {
  std::string method;
  bool https = false;
  std::uint16_t port = 80;
  std::string server_name;  // host of the URL, what a TLS client names
  std::string host;
  std::string target;  // path and query, as they would be sent
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
};

// errors: kInvalid quoting the URL or header and naming the accepted form.
base::Result<Question> make_question(const std::string& method, const std::string& url,
                                     const std::vector<std::string>& headers);

// Every decision from listener to endpoint, by the code that routes, and the field of the object
// that each comes from. table: empty for that of the listener. The members are described in
// docs/weirctl.md.
base::Json explain(const Configuration& configuration, const std::string& table,
                   const Question& question);
// The same for people.
std::string explain_text(const base::Json& explanation);

}  // namespace weir::weirctl
