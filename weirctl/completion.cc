#include "weirctl/completion.h"

#include <algorithm>

#include "controller/kubernetes/config.h"
#include "weirctl/command.h"

namespace weir::weirctl {
namespace {

using base::FlagRow;
using base::Flags;

constexpr std::string_view kBash =
    R"(# bash completion of weirctl: source <(weirctl completion bash)
_weirctl() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    word=${word%%$'\t'*}
    case $word in
      '<file>') mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}") ;;
      '<folder>') mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]#=}") ;;
      *) COMPREPLY+=("$word") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _weirctl weirctl
)";

constexpr std::string_view kZsh = R"(#compdef weirctl
# zsh completion of weirctl: weirctl completion zsh >"${fpath[1]}/_weirctl"
_weirctl() {
  local line
  local -a offers
  while IFS= read -r line; do
    case $line in
      '<file>') _files; return ;;
      '<folder>') _files -/; return ;;
      *) offers+=("${${line/:/\\:}/$'\t'/:}") ;;
    esac
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe weirctl offers
}
if [[ $funcstack[1] == _weirctl ]]; then _weirctl "$@"; else compdef _weirctl weirctl; fi
)";

constexpr std::string_view kFish = R"(# fish completion of weirctl
function __weirctl_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
    switch $line
      case '<file>' '<folder>'
        __fish_complete_path (commandline -ct)
      case '*'
        echo $line
    end
  end
end
complete -c weirctl -f -a '(__weirctl_complete)'
)";

const CommandRow* row_named(std::string_view name) {
  for (const CommandRow& row : commands()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

// Those of the user's kubeconfig; none when it cannot be read.
std::vector<Offer> contexts() {
  std::vector<Offer> out;
  const auto names = kubernetes::kubeconfig_contexts(
      kubernetes::kubeconfig_files(kubernetes::process_environment()));
  for (const std::string& name : names) out.push_back({name, ""});
  return out;
}

std::vector<Offer> values_of(const FlagRow& flag) {
  if (flag.name == "context") return contexts();
  std::vector<Offer> out;
  for (const std::string& value : flag.values) out.push_back({value, ""});
  return out;
}

// The flag that a word names, as "--name" or "-n", or null.
const FlagRow* flag_named(const std::vector<FlagRow>& rows, std::string_view word) {
  for (const FlagRow& row : rows) {
    if (word == "--" + row.name || (!row.short_name.empty() && word == "-" + row.short_name))
      return &row;
  }
  return nullptr;
}

std::vector<Offer> starting_with(std::string_view start, std::vector<Offer> offers) {
  std::erase_if(offers, [start](const Offer& one) {
    const bool place = one.word == Flags::kFile || one.word == Flags::kFolder;
    return !place && one.word.substr(0, start.size()) != start;
  });
  return offers;
}

// The flag whose value is typed, and its beginning; null: none is.
struct Value {
  const FlagRow* flag = nullptr;
  std::string start;
  std::string before;  // "--output=" where the shell sees flag and value as one word
};

Value value_typed(const std::vector<FlagRow>& rows, const std::vector<std::string>& words) {
  const std::size_t n = words.size();
  const std::string& last = words.back();
  if (last == "=" && n >= 2) return {flag_named(rows, words[n - 2]), "", ""};
  if (n >= 3 && words[n - 2] == "=") return {flag_named(rows, words[n - 3]), last, ""};
  if (const std::size_t equals = last.find('='); last.starts_with("--") && equals != last.npos)
    return {flag_named(rows, last.substr(0, equals)), last.substr(equals + 1),
            last.substr(0, equals + 1)};
  if (n < 2) return {};
  const FlagRow* flag = flag_named(rows, words[n - 2]);
  return flag != nullptr && flag->takes_value ? Value{flag, last, ""} : Value{};
}

// How many words before the last belong to no flag.
std::size_t words_so_far(const std::vector<FlagRow>& rows, const std::vector<std::string>& words) {
  std::size_t out = 0;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i].empty() || words[i] == "=") continue;
    if (words[i].front() != '-') {
      ++out;
      continue;
    }
    const FlagRow* flag = flag_named(rows, words[i]);
    if (flag == nullptr || !flag->takes_value) continue;
    i += i + 1 < words.size() && words[i + 1] == "=" ? 2 : 1;
  }
  return out;
}

std::vector<Offer> complete_command(const CommandRow& row, const std::vector<std::string>& words) {
  const std::unique_ptr<Command> command = row.make({});
  const std::unique_ptr<Flags> flags = flags_of(row, *command);
  const Value value = value_typed(flags->rows(), words);
  if (value.flag != nullptr) {
    auto out = starting_with(value.start, values_of(*value.flag));
    for (Offer& one : out) one.word.insert(0, value.before);
    return out;
  }
  std::vector<Offer> out;
  if (words.back().starts_with('-')) {
    for (const FlagRow& flag : flags->rows()) out.push_back({"--" + flag.name, flag.help});
    out.push_back({"--help", "what there is"});
  } else if (words_so_far(flags->rows(), words) == 0) {
    for (const std::string_view offer : row.offers) out.push_back({std::string(offer), ""});
  }
  return starting_with(words.back(), std::move(out));
}

}  // namespace

std::vector<Offer> complete(const std::vector<std::string>& words) {
  if (words.size() > 1) {
    const CommandRow* row = row_named(words.front());
    return row == nullptr ? std::vector<Offer>()
                          : complete_command(*row, {words.begin() + 1, words.end()});
  }
  std::vector<Offer> out;
  for (const CommandRow& row : commands())
    out.push_back({std::string(row.name), std::string(row.summary)});
  return starting_with(words.empty() ? "" : words.front(), std::move(out));
}

std::string complete_lines(const std::vector<std::string>& words) {
  std::string out;
  for (const Offer& one : complete(words))
    out += one.word + (one.help.empty() ? "" : "\t" + one.help) + "\n";
  return out;
}

// cobra's directives: 4 no names of files, 0 those too.
std::string complete_for_kubectl(const std::vector<std::string>& words) {
  std::string out;
  bool files = false;
  for (const Offer& one : complete(words)) {
    const bool place = one.word == Flags::kFile || one.word == Flags::kFolder;
    files = files || place;
    if (!place) out += one.word + (one.help.empty() ? "" : "\t" + one.help) + "\n";
  }
  return out + (files ? ":0\n" : ":4\n");
}

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return std::string(kBash);
  if (shell == "zsh") return std::string(kZsh);
  if (shell == "fish") return std::string(kFish);
  return "";
}

}  // namespace weir::weirctl
