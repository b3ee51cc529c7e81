// weirctl: Weir for people. Each command has its own flags; see usage().

#include <cstdio>
#include <string>
#include <vector>

#include "common/base/flags.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "weirctl/configuration.h"
#include "weirctl/explain.h"
#include "weirctl/probe.h"
#include "weirctl/up.h"

namespace weir::weirctl {
namespace {

using base::Flags;

constexpr const char* kDumpSocket = "/run/weir/dump.sock";

int complain(const std::string& text) {
  std::fprintf(stderr, "weirctl: %s\n", text.c_str());
  return 2;
}

// What parse() said, as an exit code; empty when the command is to run.
std::optional<int> parsed(Flags& flags, std::vector<std::string> args) {
  const auto outcome = flags.parse(std::move(args));
  if (!outcome.ok()) return complain(outcome.error().text);
  if (outcome.value() == Flags::Outcome::kShownHelp) return 0;
  return std::nullopt;
}

int command_up(std::vector<std::string> args) {
  UpOptions o;
  Flags flags("weirctl up",
              "Runs controller and dataplane in the foreground on a folder of manifests");
  flags.add("file,f", o.folder, "folder of manifests; edits are live at once")
      .add("http-port", o.http_port, "port for plain HTTP; 0: none")
      .add("https-port", o.https_port, "port for HTTPS; 0: none")
      .add("admin-port", o.admin_port,
           "the dataplane's health and metrics; the controller's is one higher; 0: none")
      .add("workers", o.workers, "worker threads; 0: the CPU quota")
      .add("default-ssl-certificate", o.default_ssl_certificate,
           "NAMESPACE/NAME of the Secret served without a better match")
      .add("access-log-path", o.access_log_path,
           "file of the access log; empty: standard output; off: none")
      .add("bind-address", o.bind_address,
           "IP addresses to listen on, separated by ','; empty: all")
      .add("log-level", o.log_level, "debug, info, warn or error")
      .add("run-folder", o.run_folder, "folder of the sockets; empty: a fresh one")
      .add("controller-arg", o.controller_args,
           "a further argument for weir-controller; may be repeated");
  if (const auto code = parsed(flags, std::move(args))) return *code;
  return up(o);
}

base::Result<base::Json> live_dump(const std::string& socket) {
  auto body = fetch_unix(socket, "/dump");
  if (!body.ok()) return std::move(body).error();
  return base::Json::parse(body.value());
}

int command_explain(std::vector<std::string> args) {
  admin::Options options;
  options.watch_ingress_without_class = true;
  options.ingress_class_by_name = true;
  std::string dump_socket = kDumpSocket;
  std::string table = "main";
  std::vector<std::string> words;
  std::vector<std::string> headers;
  Flags flags("weirctl explain", "Says which rule takes a request and why: METHOD URL");
  flags.add("file,f", options.manifests, "ask a folder of manifests instead of a live dataplane")
      .add("dump-socket", dump_socket, "dump socket of the live dataplane")
      .add("table", table, "route table")
      .add("header,H", headers, "'Name: value'; may be repeated")
      .add("default-backend-service", options.default_backend_service,
           "with -f: as the controller's flag")
      .positional("METHOD URL", words, "GET http://shop.example.test/cart");
  if (const auto code = parsed(flags, std::move(args))) return *code;
  if (words.size() != 2)
    return complain("explain takes METHOD URL, for example: GET http://shop.example.test/cart");
  const auto question = make_question(words[0], words[1], headers);
  if (!question.ok()) return complain(question.error().text);
  auto configuration = [&]() -> base::Result<Configuration> {
    if (!options.manifests.empty()) return from_folder(options);
    auto dump = live_dump(dump_socket);
    if (!dump.ok()) return std::move(dump).error();
    return from_dump(dump.value());
  }();
  if (!configuration.ok()) return complain(configuration.error().text);
  std::fputs(explain(configuration.value(), table, question.value()).c_str(), stdout);
  return 0;
}

int command_dump(std::vector<std::string> args) {
  std::string dump_socket = kDumpSocket;
  Flags flags("weirctl dump",
              "Prints the live snapshot of a dataplane as JSON; keys are never in it");
  flags.add("dump-socket", dump_socket, "dump socket of the live dataplane");
  if (const auto code = parsed(flags, std::move(args))) return *code;
  const auto dump = live_dump(dump_socket);
  if (!dump.ok()) return complain(dump.error().text);
  std::puts(dump.value().to_pretty_string().c_str());
  return 0;
}

int command_probe(std::vector<std::string> args) {
  ProbeOptions o;
  std::string wait = "0";
  std::string timeout = "5s";
  std::vector<std::string> words;
  Flags flags("weirctl probe", "Asks once, or until the answer is the expected one: URL");
  flags.add("host", o.host, "Host field of the request; empty: the URL's")
      .add("status", o.status, "the expected status")
      .add("gone", o.gone, "wait until nobody accepts connections there")
      .add("wait", wait, "how long to ask again; 0: once")
      .add("timeout", timeout, "for one attempt")
      .positional("URL", words, "http://HOST[:PORT]/PATH");
  if (const auto code = parsed(flags, std::move(args))) return *code;
  if (words.size() != 1) return complain("probe takes one URL: http://HOST[:PORT]/PATH");
  o.url = words[0];
  for (const auto& [text, into] : {std::pair(&wait, &o.wait), std::pair(&timeout, &o.timeout)}) {
    if (*text == "0") continue;
    const auto parsed_duration = base::parse_duration(*text);
    if (!parsed_duration.ok()) return complain(parsed_duration.error().text);
    *into = parsed_duration.value();
  }
  const auto answer = probe(o);
  if (!answer.ok()) {
    complain(answer.error().text);
    return answer.error().kind == base::ErrorKind::kInvalid ? 2 : 1;
  }
  std::puts(answer.value().c_str());
  return 0;
}

int usage() {
  std::fputs(
      "weirctl up -f DIR            run Weir on a folder of manifests\n"
      "weirctl explain METHOD URL   which rule takes a request, and why\n"
      "weirctl dump                 the live snapshot\n"
      "weirctl probe URL            one request, until the answer is the expected one\n"
      "Each takes --help.\n",
      stderr);
  return 2;
}

}  // namespace
}  // namespace weir::weirctl

int main(int argc, char** argv) {
  using namespace weir::weirctl;
  weir::base::log_start("weirctl", weir::base::LogLevel::kError);
  const std::string command = argc > 1 ? argv[1] : "";
  std::vector<std::string> args(argv + std::min(argc, 2), argv + argc);
  if (command == "up") return command_up(std::move(args));
  if (command == "explain") return command_explain(std::move(args));
  if (command == "dump") return command_dump(std::move(args));
  if (command == "probe") return command_probe(std::move(args));
  return usage();
}
