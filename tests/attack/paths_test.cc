// Row 21: whatever spelling an origin may resolve to /admin meets the policy of /admin.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "common/features/ip_access.h"
#include "tests/push/stage.h"

namespace weir::attack {
namespace {

using model::make_resource;

// How a lenient origin reads a path: decoded once, backslashes as slashes, dot segments resolved,
// slashes merged. The query is cut.
std::string resolve(std::string path) {
  path = path.substr(0, path.find_first_of("?#"));
  std::string decoded;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%' && i + 2 < path.size()) {
      decoded += static_cast<char>(std::stoi(path.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      decoded += path[i] == '\\' ? '/' : path[i];
    }
  }
  std::vector<std::string> parts;
  std::string part;
  for (const char c : decoded + "/") {
    if (c != '/' && c != '\\') {
      part += c;
      continue;
    }
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!part.empty() && part != "." && part != "..") parts.push_back(part);
    part.clear();
  }
  std::string out;
  for (const std::string& one : parts) out += "/" + one;
  return out.empty() ? "/" : out;
}

TEST(Paths, Row21NoSpellingOfAdminGetsAroundItsPolicy) {
  push::Stage stage;
  const features::IpAccess nobody{{"192.0.2.1"}, {}};
  const model::ResourcePtr policy =
      model::make_policy(nobody.kStem, nobody.kRevision, base::encode(nobody).to_string());
  model::Route admin = push::make_route("admin", "/admin", "bb");
  admin.policies = {policy->key.name};
  stage.must_push({policy, make_resource(admin)});
  std::size_t met = 0;
  std::size_t open = 0;
  std::optional<push::Client> client(std::in_place, stage.door());
  for (const std::string before :
       {"/", "//", "/./", "/x/../", "/%2e/", "/x/%2e%2e/", "/%2f", "/\\", "/x%2f..%2f", "/x/..\\",
        "/.//", "/x/y/../../", "/..%2f", "/y/"}) {
    for (const std::string name : {"admin", "%61dmin", "a%64min", "adm%69n", "admin%2e"}) {
      for (const std::string after : {"", "/", "/x", "/.", "/..", "/../", "/%2e%2e", "%2fx", "\\x",
                                      "//", "?q=/y", "/../admin", "/x/..", "/%2e"}) {
        const std::string target = before + name + after;
        const push::Answer answer = client->get(target, "a.test");
        if (answer.status == 0 || answer.field("Connection") == "close") {
          client.emplace(stage.door());
        }
        const std::string resolved = resolve(target);
        const bool is_admin = resolved == "/admin" || resolved.rfind("/admin/", 0) == 0;
        if (is_admin) {
          EXPECT_TRUE(answer.status == 403 || answer.status == 400)
              << target << " " << answer.status;
          ++met;
        } else if (answer.status == 200) {
          EXPECT_NE(answer.server(), "bb") << target;
          ++open;
        }
      }
    }
  }
  EXPECT_GT(met, 200U);
  EXPECT_GT(open, 20U);
}

}  // namespace
}  // namespace weir::attack
