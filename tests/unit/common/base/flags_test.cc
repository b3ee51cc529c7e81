#include "common/base/flags.h"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

struct Values {
  std::string socket = "/run/weir.sock";
  std::vector<std::string> namespaces;
  bool verbose = false;
  int workers = 0;
  std::uint16_t port = 80;
  std::vector<std::string> words;
};

Result<Flags::Outcome> parse(Values& values, std::vector<std::string> argv) {
  Flags flags("weir", "A proxy.");
  flags.add("socket", values.socket, "Socket file.")
      .add("namespace,n", values.namespaces, "Watch only this.")
      .add("verbose,v", values.verbose, "Say more.")
      .add("workers", values.workers, "Threads.")
      .add("http-port", values.port, "Port.")
      .positional("words", values.words, "Words.");
  return flags.parse(std::move(argv));
}

TEST(Flags, AbsentOnesKeepTheirDefaults) {
  Values values;
  const auto got = parse(values, {});
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value(), Flags::Outcome::kRun);
  EXPECT_EQ(values.socket, "/run/weir.sock");
  EXPECT_EQ(values.port, 80);
}

TEST(Flags, AreTakenInEveryForm) {
  Values values;
  const auto got = parse(values, {"--socket=/x", "-n", "a", "word", "--namespace", "b", "-v",
                                  "--workers", "-3", "--http-port=8080", "other"});
  ASSERT_TRUE(got.ok()) << got.error().text;
  EXPECT_EQ(values.socket, "/x");
  EXPECT_EQ(values.namespaces, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(values.verbose);
  EXPECT_EQ(values.workers, -3);
  EXPECT_EQ(values.port, 8080);
  EXPECT_EQ(values.words, (std::vector<std::string>{"word", "other"}));
}

TEST(Flags, BoolsMayBeSetToFalse) {
  Values values;
  values.verbose = true;
  ASSERT_TRUE(parse(values, {"--verbose=false"}).ok());
  EXPECT_FALSE(values.verbose);
}

TEST(Flags, ErrorsNameTheFlagTheValueAndTheAcceptedForm) {
  struct Case {
    std::vector<std::string> argv;
    std::string_view name, value, form;
  };
  for (const Case& c :
       {Case{{"--http-port", "70000"}, "--http-port", "70000", "from 0 to 65535"},
        Case{{"--http-port", "-1"}, "--http-port", "-1", "whole number"},
        Case{{"--http-port", "1x"}, "--http-port", "1x", "whole number"},
        Case{{"--workers=x"}, "--workers", "x", "from -2147483648 to 2147483647"},
        Case{{"--verbose=maybe"}, "verbose", "maybe", "true or false"},
        Case{{"--unknown"}, "--unknown", "", ""}, Case{{"--socket"}, "--socket", "", "required"}}) {
    Values values;
    const auto got = parse(values, c.argv);
    ASSERT_FALSE(got.ok()) << c.name;
    EXPECT_NE(got.error().text.find(c.name), std::string::npos) << got.error().text;
    EXPECT_NE(got.error().text.find(c.value), std::string::npos) << got.error().text;
    EXPECT_NE(got.error().text.find(c.form), std::string::npos) << got.error().text;
  }
}

TEST(Flags, HelpIsPrintedAndNamesEveryFlagWithItsDefault) {
  testing::internal::CaptureStdout();
  Values values;
  const auto got = parse(values, {"--help"});
  const std::string help = testing::internal::GetCapturedStdout();
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value(), Flags::Outcome::kShownHelp);
  for (const std::string_view part :
       {"--socket", "/run/weir.sock", "-n,--namespace", "--http-port"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part << "\n" << help;
  }
}

}  // namespace
}  // namespace weir::base
