#include "common/process/signal_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::process {
namespace {

std::string time_of(std::int64_t whole, std::int64_t nanos = 0) {
  SignalText text;
  text.add_time(whole * 1'000'000'000 + nanos);
  return std::string(text.view());
}

TEST(SignalText, TellsTheTimeAsTheLogDoes) {
  EXPECT_EQ(time_of(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(time_of(951'782'399), "2000-02-28T23:59:59.000000Z");
  EXPECT_EQ(time_of(951'782'400), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(time_of(1'709'251'199, 987'654'321), "2024-02-29T23:59:59.987654Z");
  EXPECT_EQ(time_of(1'735'689'599), "2024-12-31T23:59:59.000000Z");
  EXPECT_EQ(time_of(4'107'542'400), "2100-03-01T00:00:00.000000Z");
}

TEST(SignalText, WritesNumbersWithoutALibrary) {
  SignalText text;
  text.add_number(0).add(" ").add_number(-120).add(" ").add_hex(0).add(" ").add_hex(0xdeadbeef);
  EXPECT_EQ(text.view(), "0 -120 0x0 0xdeadbeef");
}

TEST(SignalText, ItsEndFitsHoweverLongItIs) {
  SignalText text;
  for (int i = 0; i < 1'000; ++i) text.add("0123456789");
  text.end("end\n");
  EXPECT_EQ(text.size(), 4'096U - 16U + 4U);
  EXPECT_TRUE(text.view().ends_with("end\n"));
}

}  // namespace
}  // namespace weir::process
