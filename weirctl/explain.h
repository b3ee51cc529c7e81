#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "weirctl/configuration.h"

namespace weir::weirctl {

// A request to ask about. url: "http://host[:port]/path?query"; headers: "Name: value".
struct Question {
  std::string method;
  std::string host;
  std::string target;  // path and query, as they would be sent
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
};

// errors: kInvalid quoting the URL or header and naming the accepted form.
base::Result<Question> make_question(const std::string& method, const std::string& url,
                                     const std::vector<std::string>& headers);

// Which rule takes the request and why, which lost and why, which endpoints: text for people, by
// the code that routes.
std::string explain(const Configuration& configuration, const std::string& table,
                    const Question& question);

}  // namespace weir::weirctl
