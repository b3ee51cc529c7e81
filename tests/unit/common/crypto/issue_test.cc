#include "common/crypto/issue.h"

#include <gtest/gtest.h>

namespace weir::crypto {
namespace {

constexpr std::int64_t kIssuedAt = 1'800'000'000;

TEST(Issue, ALeafHasTheNameTheLifeAndTheIssuerThatWereAskedFor) {
  const PemPair authority = make_authority("authority one", kIssuedAt, 300);
  const auto issued = issue_certificate(authority, "a.test", kIssuedAt, std::chrono::hours(24));
  ASSERT_TRUE(issued.ok());
  const auto leaf = parse_key_pair(issued.value().certificate, issued.value().key);
  ASSERT_TRUE(leaf.ok()) << leaf.error().text;
  EXPECT_EQ(leaf.value().names, std::vector<std::string>{"a.test"});
  EXPECT_EQ(leaf.value().issuer, "CN=authority one");
  EXPECT_EQ(leaf.value().not_before, kIssuedAt - 3'600);
  EXPECT_EQ(leaf.value().not_after, kIssuedAt + 24 * 3'600);
}

TEST(Issue, AnAuthorityLastsForTheDaysItWasGiven) {
  const PemPair authority = make_authority("authority one", kIssuedAt, 300);
  const auto parsed = parse_key_pair(authority.certificate, authority.key);
  ASSERT_TRUE(parsed.ok()) << parsed.error().text;
  EXPECT_EQ(parsed.value().not_after, kIssuedAt + 300LL * 24 * 3'600);
  EXPECT_EQ(parsed.value().issuer, "CN=authority one");
}

TEST(Issue, EveryKeyAndSerialIsFresh) {
  const PemPair authority = make_authority("authority one", kIssuedAt, 300);
  const auto a = issue_certificate(authority, "a.test", kIssuedAt, std::chrono::hours(1)).value();
  const auto b = issue_certificate(authority, "a.test", kIssuedAt, std::chrono::hours(1)).value();
  EXPECT_NE(a.key, b.key);
  EXPECT_NE(parse_key_pair(a.certificate, a.key).value().serial,
            parse_key_pair(b.certificate, b.key).value().serial);
}

TEST(Issue, AnAuthorityThatIsNoneIsRefusedWithoutItsSecret) {
  const PemPair one = make_authority("one", kIssuedAt, 300);
  const PemPair other = make_authority("other", kIssuedAt, 300);
  for (const PemPair& bad : {PemPair{"", ""}, PemPair{"x", one.key}, PemPair{one.certificate, "y"},
                             PemPair{one.certificate, other.key}}) {
    const auto issued = issue_certificate(bad, "a.test", kIssuedAt, std::chrono::hours(1));
    ASSERT_FALSE(issued.ok());
    EXPECT_EQ(issued.error().text.find("PRIVATE KEY"), std::string::npos);
  }
}

}  // namespace
}  // namespace weir::crypto
