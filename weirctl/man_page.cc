#include "weirctl/man_page.h"

#include "common/base/text.h"

namespace weir::weirctl {
namespace {

// Text as roff takes it: nothing in it is a request or an escape.
std::string roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string head(const std::string& name, std::string_view summary) {
  std::string title = name;
  for (char& c : title) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return ".\\\" Made by `weirctl man`; do not edit.\n.TH " + title +
         " 1 2026-11-24 \"Weir 0.1.0\" \"Weir\"\n.SH NAME\n" + name + " \\- " + roff(summary) +
         "\n";
}

std::string paragraphs(std::string_view text) {
  std::string out;
  for (const std::string_view one : base::split(text, '\n'))
    out += (out.empty() ? "" : ".PP\n") + roff(one) + "\n";
  return out;
}

std::string flag_text(const base::FlagRow& flag) {
  std::string out = ".TP\n.B ";
  if (!flag.short_name.empty()) out += roff("-" + flag.short_name + ", ");
  out += roff("--" + flag.name);
  if (flag.takes_value) out += " VALUE";
  out += "\n" + roff(flag.help);
  if (flag.repeatable && flag.help.find("repeated") == std::string::npos)
    out += "; may be repeated";
  if (!flag.default_text.empty()) out += " (" + roff(flag.default_text) + ")";
  return out + "\n";
}

std::string examples(const CommandRow& row) {
  std::string out;
  for (const std::string_view one : row.examples)
    out += std::string(out.empty() ? ".SH EXAMPLES\n" : ".PP\n") + ".EX\n" + roff(one) + "\n.EE\n";
  return out;
}

std::string see_also(std::string_view self) {
  std::string out = ".SH SEE ALSO\n";
  if (!self.empty()) out += ".BR weirctl (1)";
  for (const CommandRow& row : commands()) {
    if (row.name == self) continue;
    out += (out.ends_with(')') ? ",\n" : "") + (".BR weirctl\\-" + std::string(row.name)) + " (1)";
  }
  return out + "\n";
}

}  // namespace

std::string man_page() {
  std::string out = head("weirctl", "Weir for people");
  out +=
      ".SH SYNOPSIS\n.B weirctl\n.I COMMAND\n[FLAGS] [WORDS]\n.br\n.B kubectl weir\n.I COMMAND\n"
      "[FLAGS] [WORDS]\n";
  out +=
      ".SH DESCRIPTION\nRuns Weir, an ingress controller and reverse proxy, on a folder of "
      "manifests, and answers what it does with a request and why. Each command takes\n.BR "
      "\\-\\-help .\n.PP\nUnder the name kubectl\\-weir in PATH the program is a plugin of "
      "kubectl: it then asks the cluster of the kubeconfig.\n.SH COMMANDS\n";
  for (const CommandRow& row : commands()) {
    out += ".TP\n.B weirctl " + roff(row.name);
    if (!row.words.empty()) out += " " + roff(row.words);
    out += "\n" + roff(row.summary) + "\n";
  }
  out +=
      ".SH EXIT STATUS\n0: done; 1: what the command asked is not so (its page says what); 2: a "
      "wrong call, or an answer that could not be had.\n";
  out +=
      ".SH ENVIRONMENT\n.TP\n.B KUBECONFIG\nkubeconfig files, separated by ':'; the first that "
      "names a thing counts\n";
  return out + see_also("");
}

std::string man_page(const CommandRow& row) {
  const std::string name = "weirctl-" + std::string(row.name);
  const std::unique_ptr<Command> command = row.make({});
  const std::unique_ptr<base::Flags> flags = flags_of(row, *command);
  std::string out = head(name, row.summary);
  out += ".SH SYNOPSIS\n.B weirctl " + roff(row.name) + "\n";
  if (!flags->rows().empty()) out += "[FLAGS]";
  if (!row.words.empty()) out += (flags->rows().empty() ? "" : " ") + roff(row.words);
  if (!out.ends_with('\n')) out += "\n";
  out += ".SH DESCRIPTION\n" + paragraphs(row.text);
  if (!flags->rows().empty()) out += ".SH OPTIONS\nIn brackets: what holds without the flag.\n";
  for (const base::FlagRow& flag : flags->rows()) out += flag_text(flag);
  return out + examples(row) + see_also(row.name);
}

}  // namespace weir::weirctl
