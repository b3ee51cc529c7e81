#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace weir::base {

// One flag as documentation and completion need it.
struct FlagRow {
  std::string name;         // without dashes
  std::string short_name;   // "f"; empty: none
  bool takes_value = true;  // false: a bool
  bool repeatable = false;
  std::string default_text;  // empty: none
  std::string help;
  std::vector<std::string> values;  // what a shell offers: words, or one of kFile and kFolder
};

// Command-line flags of one program: "--name value" or "--name=value", bools also as bare "--name".
// Help text comes with
// "-h" or "--help". Only main uses it, before threads start. The CLI11 wrapper is flags.cc.
class Flags {
 public:
  Flags(std::string_view program, std::string_view description);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  // name: without dashes, "http-port"; a one-letter short form may follow: "file,f". target keeps
  // its value when the flag is absent and must outlive parse().
  Flags& add(std::string_view name, std::string& target, std::string_view help);
  Flags& add(std::string_view name, std::vector<std::string>& target,
             std::string_view help);  // may be repeated
  Flags& add(std::string_view name, bool& target, std::string_view help);
  Flags& add(std::string_view name, int& target, std::string_view help);
  Flags& add(std::string_view name, std::uint16_t& target, std::string_view help);
  Flags& add(std::string_view name, std::uint32_t& target, std::string_view help);
  // What the last added flag takes, for completion only: words, or kFile or kFolder.
  Flags& offers(std::vector<std::string> values);
  static constexpr const char* kFile = "<file>";
  static constexpr const char* kFolder = "<folder>";
  // Words without dashes, in order.
  Flags& positional(std::string_view name, std::vector<std::string>& target, std::string_view help);

  enum class Outcome { kRun, kShownHelp };
  // argv: without the program's name. Prints help to standard output when asked.
  //   errors: kInvalid naming the flag, its value and the accepted form.
  Result<Outcome> parse(std::vector<std::string> argv);
  std::string help() const;
  const std::vector<FlagRow>& rows() const;  // in the order of add()

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::base
