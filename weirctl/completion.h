#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::weirctl {

// What a shell may offer. word: as it would stand on the command line; base::Flags::kFile and
// kFolder stand for the shell's own names of files.
struct Offer {
  std::string word;
  std::string help;
};

// words: what stands behind the program's name; the last is the one that is being typed, perhaps
// empty. '=' may be a word of its own, as bash has it.
std::vector<Offer> complete(const std::vector<std::string>& words);
// One a line, "word" or "word<tab>help".
std::string complete_lines(const std::vector<std::string>& words);
// The same as an executable kubectl_complete-weir gives it to kubectl: with a line of directives.
std::string complete_for_kubectl(const std::vector<std::string>& words);

// The script for bash, zsh or fish: it asks the program itself. Empty for another word.
std::string completion_script(std::string_view shell);

}  // namespace weir::weirctl
