#include <cstdio>

#include "weirctl/command.h"

namespace weir::weirctl {
namespace {

constexpr std::string_view kPlaceText =
    "Asked is what the flags name: a folder of manifests (-f), the dump socket of a dataplane "
    "(--dump-socket), or a cluster (--context, --kubeconfig). Without any of them: the dump socket "
    "of this machine if there is one, else the cluster of the kubeconfig; run as `kubectl weir`, "
    "always the cluster.\n"
    "Of a cluster the objects are read and translated here, by the controller's own code and with "
    "the flags that its Deployment has: rights to list and watch what the controller reads are "
    "enough, no pod is entered, and the answer is there also when Weir is not. What is not known "
    "that way is the health of endpoints; the dump socket has it.";

// What people ask.
std::vector<CommandRow> questions() {
  return {
      {"up",
       "",
       "run Weir on a folder of manifests",
       "Starts weir-dataplane and weir-controller, which stand beside this program, in the "
       "foreground. Edits of the folder are live at once. SIGTERM or SIGINT ends both.",
       {"weirctl up -f examples/hello"},
       {},
       make_up},
      {"explain",
       "METHOD URL",
       "which rule takes a request, and why",
       kPlaceText,
       {"weirctl explain -f manifests GET https://shop.example.test/cart",
        "weirctl explain --context prod -H 'X-Canary: always' GET http://shop.example.test/ -o "
        "json",
        "kubectl weir explain GET https://shop.example.test/cart"},
       {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"},
       make_explain},
      {"plan",
       "",
       "what a change of manifests would do to traffic",
       "Compares two states, both compiled by the code that serves: what is lost, what goes to "
       "another owner, what answers an error from then on, what is gained, hidden, or gets another "
       "backend or other settings; and certificates, listeners and new reports.\n"
       "With `--against cluster` (without the flag too) the folder's objects count as applied over "
       "the cluster's, like `kubectl apply -f`; nothing is written, and what the folder does not "
       "have stays. With `--against DIR` the two folders are the whole state each.\n"
       "Exit code 0: nothing is lost. 2: a route, certificate or listener is lost, a route answers "
       "an error that did not, or requests go to another owner. 1: no answer.",
       {"weirctl plan -f manifests", "weirctl plan -f after --against before -o json"},
       {},
       make_plan_command},
      {"top",
       "",
       "live rates, errors and latency of each route",
       "Reads the metrics of a dataplane twice or more and shows what happened in between, busiest "
       "first. The dataplane is asked at --admin, for example after `kubectl port-forward "
       "pod/NAME 10254`, or with --pod through the API server, which needs the right to get "
       "pods/proxy.\n"
       "Latency is read from histograms: within the bucket that holds a quantile the value is "
       "drawn "
       "straight.",
       {"weirctl top", "weirctl top --pod weir/weir-6d4f9-x2x7k --sort errors",
        "weirctl top --once -o json"},
       {},
       make_top},
  };
}

// What scripts and shells need.
std::vector<CommandRow> tools() {
  return {
      {"dump",
       "",
       "the live snapshot of a dataplane as JSON",
       "Private keys, ticket keys and secrets of features are never in it.",
       {"weirctl dump | jq '.clusters'"},
       {},
       make_dump},
      {"probe",
       "URL",
       "one request, until the answer is the expected one",
       "For scripts and for `helm test`: the image has no other program that can ask. Exit code 0: "
       "as expected, 1: not, 2: a wrong call.",
       {"weirctl probe --wait 30s --status 404 http://127.0.0.1:8080/"},
       {},
       make_probe},
      {"completion",
       "SHELL",
       "completion for bash, zsh or fish",
       "Prints a script for the shell. It completes commands, flags and the values of flags, also "
       "for `kubectl weir` in a shell where kubectl's own completion is on.",
       {"source <(weirctl completion bash)", "weirctl completion zsh >\"${fpath[1]}/_weirctl\"",
        "weirctl completion fish >~/.config/fish/completions/weirctl.fish"},
       {"bash", "zsh", "fish"},
       make_completion},
      {"man",
       "[COMMAND]",
       "the manual page of a command",
       "Prints it as roff; docs/man has all of them.",
       {"weirctl man explain | man -l -"},
       {},
       make_man},
  };
}

}  // namespace

const std::vector<CommandRow>& commands() {
  static const std::vector<CommandRow> rows = [] {
    std::vector<CommandRow> all = questions();
    for (CommandRow& row : tools()) all.push_back(std::move(row));
    return all;
  }();
  return rows;
}

std::unique_ptr<base::Flags> flags_of(const CommandRow& row, Command& command) {
  auto out = std::make_unique<base::Flags>("weirctl " + std::string(row.name), row.summary);
  command.add_flags(*out);
  return out;
}

std::string usage_text() {
  std::string out;
  for (const CommandRow& row : commands()) {
    std::string line = "weirctl " + std::string(row.name);
    if (!row.words.empty()) line += " " + std::string(row.words);
    line.resize(std::max(line.size() + 2, std::size_t{29}), ' ');
    out += line + std::string(row.summary) + "\n";
  }
  return out + "Each takes --help; as a plugin of kubectl: `kubectl weir COMMAND`.\n";
}

int complain(const std::string& text) {
  std::fprintf(stderr, "weirctl: %s\n", text.c_str());
  return 2;
}

void Output::add_flag(base::Flags& flags) {
  flags.add("output,o", format, "text or json").offers({"text", "json"});
}

base::Result<void> Output::check() const {
  if (format == "text" || format == "json") return {};
  return base::invalid("-o '" + format + "': accepted: text or json");
}

}  // namespace weir::weirctl
