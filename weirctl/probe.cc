#include "weirctl/probe.h"

#include <httplib.h>

#include <thread>

#include "common/base/text.h"

namespace weir::weirctl {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPause{200};
constexpr std::string_view kScheme = "http://";

struct Target {
  std::string authority;  // as the URL has it
  std::string address;    // without brackets
  int port = 80;
  std::string path;
};

base::Result<Target> parse(const std::string& url) {
  const auto bad = [&url] {
    return base::invalid("'" + url + "': accepted: http://HOST[:PORT]/PATH");
  };
  if (!url.starts_with(kScheme)) return bad();
  Target out;
  const std::size_t slash = url.find('/', kScheme.size());
  out.authority = url.substr(kScheme.size(), slash - kScheme.size());
  out.path = slash == std::string::npos ? "/" : url.substr(slash);
  const std::size_t colon = out.authority.rfind(':');
  const std::size_t bracket = out.authority.rfind(']');
  out.address = out.authority;
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    const auto port = base::parse_uint(out.authority.substr(colon + 1));
    if (!port || *port == 0 || *port > 65'535) return bad();
    out.port = static_cast<int>(*port);
    out.address.resize(colon);
  }
  if (bracket != std::string::npos) {
    if (out.address.front() != '[' || out.address.back() != ']') return bad();
    out.address = out.address.substr(1, out.address.size() - 2);
  }
  if (out.address.empty()) return bad();
  return out;
}

struct Seen {
  bool expected = false;
  std::string text;
};

Seen ask(const ProbeOptions& options, const Target& target) {
  httplib::Client client(target.address, target.port);
  client.set_connection_timeout(options.timeout);
  client.set_read_timeout(options.timeout);
  client.set_write_timeout(options.timeout);
  const httplib::Headers headers{{"Host", options.host.empty() ? target.authority : options.host},
                                 {"User-Agent", "weirctl-probe"}};
  const httplib::Result result = client.Get(target.path, headers);
  if (!result) {
    // Whoever accepts and does not answer is there.
    const bool refused = result.error() == httplib::Error::Connection;
    return {options.gone && refused,
            refused ? "nobody listening" : "no answer: " + httplib::to_string(result.error())};
  }
  const bool right = !options.gone && result->status == options.status;
  return {right, "status " + std::to_string(result->status)};
}

}  // namespace

base::Result<std::string> probe(const ProbeOptions& options) {
  const auto target = parse(options.url);
  if (!target.ok()) return target.error();
  const auto end = std::chrono::steady_clock::now() + options.wait;
  for (;;) {
    Seen seen = ask(options, target.value());
    if (seen.expected) return options.url + ": " + seen.text;
    if (std::chrono::steady_clock::now() + kPause > end) {
      const std::string wanted =
          options.gone ? "nobody listening" : "status " + std::to_string(options.status);
      return base::Error{base::ErrorKind::kTimeout, base::Origin::kUpstream, false,
                         options.url + ": " + seen.text + ", expected: " + wanted};
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace weir::weirctl
