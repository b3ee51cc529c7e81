#include "common/base/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <limits>

#include "common/base/check.h"
#include "common/base/text.h"

namespace weir::base {

struct Flags::Impl {
  explicit Impl(std::string_view program, std::string_view description)
      : app(std::string(description), std::string(program)) {}
  CLI::App app;
  std::vector<FlagRow> rows;

  FlagRow& note(std::string_view name, std::string_view help, std::string default_text) {
    const std::size_t comma = name.find(',');
    FlagRow row;
    row.name = name.substr(0, comma);
    if (comma != std::string_view::npos) row.short_name = name.substr(comma + 1);
    row.help = help;
    row.default_text = std::move(default_text);
    rows.push_back(std::move(row));
    return rows.back();
  }
};

namespace {

// "file,f" -> "--file,-f"
std::string dashed(std::string_view name) {
  const std::size_t comma = name.find(',');
  std::string out = "--" + std::string(name.substr(0, comma));
  if (comma != std::string_view::npos) out += ",-" + std::string(name.substr(comma + 1));
  return out;
}

template <typename Number>
CLI::Option* add_number(CLI::App& app, std::string_view name, Number& target,
                        std::string_view help) {
  constexpr std::int64_t kLeast = std::numeric_limits<Number>::min();
  constexpr std::int64_t kMost = std::numeric_limits<Number>::max();
  const auto check = [](const std::string& text) -> std::string {
    const auto number = parse_int(text);
    if (number && *number >= kLeast && *number <= kMost) return {};
    return "'" + text + "' is not a whole number from " + std::to_string(kLeast) + " to " +
           std::to_string(kMost);
  };
  return app.add_option(dashed(name), target, std::string(help))
      ->capture_default_str()
      ->check(CLI::Validator(check, ""));
}

}  // namespace

Flags::Flags(std::string_view program, std::string_view description)
    : impl_(std::make_unique<Impl>(program, description)) {}
Flags::~Flags() = default;

Flags& Flags::add(std::string_view name, std::string& target, std::string_view help) {
  impl_->app.add_option(dashed(name), target, std::string(help))->capture_default_str();
  impl_->note(name, help, target);
  return *this;
}

Flags& Flags::add(std::string_view name, std::vector<std::string>& target, std::string_view help) {
  impl_->app.add_option(dashed(name), target, std::string(help))
      ->take_all()
      ->allow_extra_args(false);
  impl_->note(name, help, "").repeatable = true;
  return *this;
}

Flags& Flags::add(std::string_view name, bool& target, std::string_view help) {
  const auto check = [](const std::string& text) -> std::string {
    if (text == "true" || text == "false") return {};
    return "'" + text + "' is not true or false";
  };
  impl_->app.add_flag(dashed(name), target, std::string(help))
      ->capture_default_str()
      ->check(CLI::Validator(check, ""));
  impl_->note(name, help, target ? "on" : "").takes_value = false;
  return *this;
}

Flags& Flags::add(std::string_view name, int& target, std::string_view help) {
  add_number(impl_->app, name, target, help);
  impl_->note(name, help, std::to_string(target));
  return *this;
}

Flags& Flags::add(std::string_view name, std::uint16_t& target, std::string_view help) {
  add_number(impl_->app, name, target, help);
  impl_->note(name, help, std::to_string(target));
  return *this;
}

Flags& Flags::add(std::string_view name, std::uint32_t& target, std::string_view help) {
  add_number(impl_->app, name, target, help);
  impl_->note(name, help, std::to_string(target));
  return *this;
}

Flags& Flags::positional(std::string_view name, std::vector<std::string>& target,
                         std::string_view help) {
  impl_->app.add_option(std::string(name), target, std::string(help));
  return *this;
}

Result<Flags::Outcome> Flags::parse(std::vector<std::string> argv) {
  std::reverse(argv.begin(), argv.end());  // CLI11 takes the words from the back
  try {
    impl_->app.parse(std::move(argv));
  } catch (const CLI::CallForHelp&) {
    std::fputs(help().c_str(), stdout);
    return Outcome::kShownHelp;
  } catch (const CLI::ParseError& error) {
    return invalid(error.what());
  }
  return Outcome::kRun;
}

Flags& Flags::offers(std::vector<std::string> values) {
  WEIR_CHECK(!impl_->rows.empty());
  impl_->rows.back().values = std::move(values);
  return *this;
}

const std::vector<FlagRow>& Flags::rows() const { return impl_->rows; }

std::string Flags::help() const { return impl_->app.help(); }

}  // namespace weir::base
