#include "common/base/boxed.h"

#include <gtest/gtest.h>

#include <string>

#include "common/base/fields.h"

namespace weir::base {
namespace {

struct Inner {
  std::string name = "none";
  bool operator==(const Inner&) const = default;
  static constexpr auto fields(auto&& to) { return to(field("name", &Inner::name)); }
};
struct Outer {
  Boxed<Inner> inner;
  bool operator==(const Outer&) const = default;
  static constexpr auto fields(auto&& to) { return to(field("inner", &Outer::inner)); }
};

TEST(Boxed, CopiesAndComparesByValue) {
  Boxed<Inner> a;
  EXPECT_FALSE(a.has_value());
  EXPECT_EQ(a, Boxed<Inner>());
  a.emplace().name = "x";
  Boxed<Inner> b = a;
  EXPECT_EQ(a, b);
  b->name = "y";
  EXPECT_NE(a, b);
  EXPECT_EQ(a->name, "x") << "a copy is its own";
  b = a;
  EXPECT_EQ(a, b);
  b.reset();
  EXPECT_FALSE(b);
  EXPECT_NE(a, b);
  EXPECT_EQ(Boxed<Inner>(std::optional<Inner>()), b);
  EXPECT_EQ(Boxed<Inner>(std::optional<Inner>(Inner{"x"})), a);
  EXPECT_EQ(sizeof(b), sizeof(void*));
}

TEST(Boxed, IsAFieldLikeAnOptional) {
  Outer outer;
  EXPECT_EQ(encode(outer).to_string(), "{}");
  outer.inner.emplace();
  EXPECT_EQ(encode(outer).to_string(), R"({"inner":{}})");
  outer.inner->name = "x";
  const Json json = encode(outer);
  EXPECT_EQ(json.to_string(), R"({"inner":{"name":"x"}})");
  const Result<Outer> back = decode<Outer>(json);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back.value(), outer);
  const Result<Outer> wrong = decode<Outer>(Json::parse(R"({"inner":{"name":5}})").value());
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().text, "inner.name: 5 is not a string");
}

}  // namespace
}  // namespace weir::base
