#include "controller/kubernetes/json_items.h"

#include <gtest/gtest.h>

namespace weir::kubernetes {
namespace {

struct Cut {
  std::vector<std::string> items;
  std::string rest;
  std::string error;
};

// Feeds the text in pieces of the given size.
Cut cut_list(std::string_view text, std::size_t piece) {
  Cut out;
  ListCutter cutter([&out](base::Json item) { out.items.push_back(item.to_string()); });
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const auto fed = cutter.feed(text.substr(at, piece));
    if (!fed) {
      out.error = fed.error().text;
      return out;
    }
  }
  const auto rest = cutter.finish();
  if (rest) {
    out.rest = rest.value().to_string();
  } else {
    out.error = rest.error().text;
  }
  return out;
}

TEST(ListCutter, GivesTheSameItemsHoweverTheBytesArrive) {
  const std::string text =
      R"({"kind":"List", "metadata":{"resourceVersion":"7","items":[1]},
          "items" : [ {"a":"}]\"{","items":[{"b":1}]} , {"c":[[],{}]} ], "x":"items"})";
  for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 1000UL}) {
    const Cut cut = cut_list(text, piece);
    EXPECT_EQ(cut.error, "");
    EXPECT_EQ(cut.items,
              (std::vector<std::string>{R"({"a":"}]\"{","items":[{"b":1}]})", R"({"c":[[],{}]})"}));
    EXPECT_EQ(
        cut.rest,
        R"({"kind":"List","metadata":{"resourceVersion":"7","items":[1]},"items":[],"x":"items"})");
  }
}

TEST(ListCutter, TakesListsWithoutItems) {
  for (const std::string_view text :
       {R"({"metadata":{"resourceVersion":"7"},"items":[]})", R"({"items":null,"metadata":{}})",
        R"({"metadata":{}})", "{\"items\":[\n]}\n"}) {
    const Cut cut = cut_list(text, 1);
    EXPECT_EQ(cut.error, "") << text;
    EXPECT_TRUE(cut.items.empty()) << text;
  }
}

TEST(ListCutter, RefusesWhatIsNoList) {
  struct Case {
    std::string_view text, part;
  };
  for (const Case& c : {
           Case{R"({"items":[{"a":1})", "ended early"},
           Case{"", "ended early"},
           Case{R"({"items":[1]})", "not a JSON object"},
           Case{R"({"items":[{"a":}]})", "list item: JSON at byte"},
           Case{R"({"items":[{]]})", "list item: JSON at byte"},
           Case{R"({"items":[]}x)", "bytes after its end"},
           Case{R"([1])", "not a JSON object"},
       }) {
    EXPECT_NE(cut_list(c.text, 1).error.find(c.part), std::string::npos)
        << c.text << " gave: " << cut_list(c.text, 1).error;
  }
}

TEST(ListCutter, BoundsItemsAndTheRest) {
  EXPECT_NE(cut_list("{\"items\":[{\"a\":\"" + std::string(kMaxItemBytes, 'x') + "\"}]}", 65536)
                .error.find("longer than 4 MiB"),
            std::string::npos);
  EXPECT_NE(cut_list("{\"a\":\"" + std::string(2 * 1024 * 1024, 'x') + "\"}", 65536)
                .error.find("exceed 1 MiB"),
            std::string::npos);
  EXPECT_NE(cut_list("{\"items\":[" + std::string(100'000, '{'), 65536).error, "");
}

TEST(EventCutter, GivesEachEventOfAStream) {
  for (const std::size_t piece : {1UL, 5UL, 1000UL}) {
    std::vector<std::string> events;
    EventCutter cutter([&events](base::Json event) { events.push_back(event.to_string()); });
    const std::string_view text =
        "{\"type\":\"ADDED\",\"object\":{\"a\":\"\\\"}\"}}\n\n{\"type\":\"x\"}{}";
    for (std::size_t at = 0; at < text.size(); at += piece)
      ASSERT_TRUE(cutter.feed(text.substr(at, piece)).ok());
    EXPECT_EQ(events, (std::vector<std::string>{R"({"type":"ADDED","object":{"a":"\"}"}})",
                                                R"({"type":"x"})", "{}"}));
    EXPECT_TRUE(cutter.at_boundary());
  }
}

TEST(EventCutter, RefusesOtherTextAndEndlessEvents) {
  EventCutter words([](base::Json) {});
  EXPECT_FALSE(words.feed("error").ok());
  EventCutter endless([](base::Json) {});
  EXPECT_FALSE(endless.feed("{\"a\":\"" + std::string(kMaxItemBytes, 'x')).ok());
  EventCutter wrong([](base::Json) {});
  EXPECT_FALSE(wrong.feed("{\"a\":]").ok() && wrong.feed("}").ok());
}

}  // namespace
}  // namespace weir::kubernetes
