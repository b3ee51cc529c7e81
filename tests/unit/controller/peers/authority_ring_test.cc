#include "controller/peers/authority_ring.h"

#include <gtest/gtest.h>

namespace weir::peers {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::int64_t kPeriod = std::chrono::seconds(kAuthorityPeriod).count();

TEST(AuthorityRing, ItsTextReadsBackAsItWas) {
  const AuthorityRing ring = rotated(make_authority_ring(kNow), kNow + kPeriod, kAuthorityPeriod);
  const auto read = parse_authority_ring(to_text(ring));
  ASSERT_TRUE(read.ok()) << read.error().text;
  EXPECT_EQ(read.value().rotated, kNow + kPeriod);
  EXPECT_EQ(read.value().trusted(), ring.trusted());
  EXPECT_EQ(read.value().current.key, ring.current.key);
  EXPECT_EQ(read.value().next.key, ring.next.key);
}

TEST(AuthorityRing, AStepMovesEachOnePlaceAndDropsTheKeyOfTheOld) {
  const AuthorityRing before = make_authority_ring(kNow);
  const AuthorityRing after = rotated(before, kNow + kPeriod, kAuthorityPeriod);
  EXPECT_EQ(after.previous, before.current.certificate);
  EXPECT_EQ(after.current.certificate, before.next.certificate);
  EXPECT_EQ(after.current.key, before.next.key);
  EXPECT_NE(after.next.certificate, before.next.certificate);
  // Of its second line: the first begins alike in all keys.
  EXPECT_EQ(to_text(after).find(before.current.key.substr(95, 40)), std::string::npos);
}

TEST(AuthorityRing, EachIsTrustedBeforeItSignsAndAfter) {
  AuthorityRing ring = make_authority_ring(kNow);
  for (std::int64_t now = kNow + kPeriod; now < kNow + 5 * kPeriod; now += kPeriod) {
    const AuthorityRing next = rotated(ring, now, kAuthorityPeriod);
    EXPECT_NE(ring.trusted().find(next.current.certificate), std::string::npos);
    EXPECT_NE(next.trusted().find(ring.current.certificate), std::string::npos);
    // Valid to the end of its time as the previous one.
    const auto parsed = crypto::parse_key_pair(next.next.certificate, next.next.key);
    EXPECT_GT(parsed.value().not_after, now + 3 * kPeriod + 24 * 3'600);
    ring = next;
  }
}

TEST(AuthorityRing, ItIsDueAfterItsPeriodAndWhenItIsFromTheFuture) {
  const AuthorityRing ring = make_authority_ring(kNow);
  EXPECT_FALSE(rotation_due(ring, kNow + kPeriod - 1, kAuthorityPeriod));
  EXPECT_TRUE(rotation_due(ring, kNow + kPeriod, kAuthorityPeriod));
  EXPECT_FALSE(rotation_due(ring, kNow - kPeriod, kAuthorityPeriod));
  EXPECT_TRUE(rotation_due(ring, kNow - kPeriod - 1, kAuthorityPeriod));
}

TEST(AuthorityRing, AfterAYearAsleepAllAreFresh) {
  const AuthorityRing before = make_authority_ring(kNow);
  const AuthorityRing after = rotated(before, kNow + 4 * kPeriod, kAuthorityPeriod);
  EXPECT_EQ(after.previous, "");
  EXPECT_EQ(after.trusted().find(before.next.certificate), std::string::npos);
}

TEST(AuthorityRing, WhatIsNoRingIsRefusedWithoutItsSecret) {
  const AuthorityRing ring = make_authority_ring(kNow);
  AuthorityRing mixed = ring;
  mixed.current.key = ring.next.key;
  AuthorityRing cut = ring;
  cut.next.certificate.clear();
  AuthorityRing stale = ring;
  stale.previous = "-----BEGIN CERTIFICATE-----";
  for (const std::string& text : {std::string(), std::string("[]"), std::string("{\"rotated\":1}"),
                                  to_text(mixed), to_text(cut), to_text(stale)}) {
    const auto read = parse_authority_ring(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_NE(read.error().text.find("authorities.json must be"), std::string::npos);
    EXPECT_EQ(read.error().text.find("PRIVATE KEY"), std::string::npos);
  }
}

}  // namespace
}  // namespace weir::peers
