#include "common/crypto/trust_bundle.h"

#include <gtest/gtest.h>

#include "common/crypto/certificate.h"

namespace weir::crypto {
namespace {

const std::string kCrl =
    "-----BEGIN X509 CRL-----\n"
    "MIGuMFcCAQEwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLR29sZGVuIHJvb3QXDTI2\n"
    "MTEyNDEyMzcwM1oYDzIxMjYxMDMxMTIzNzAzWqAOMAwwCgYDVR0UBAMCAQEwCgYI\n"
    "KoZIzj0EAwIDRwAwRAIgWbB53ewp9+0kxthhY0BjtJomQadzT47VS/waDgYLv88C\n"
    "IGWIbzz4TDppFMKxCzATTHa1fiK6QTbdAaxmEnMTZpDb\n"
    "-----END X509 CRL-----\n";

std::string certificate() { return make_self_signed({"ca.test"}, 1'800'000'000, 30).certificate; }

TEST(TrustBundle, HoldsEachCertificateAndListAsDer) {
  const std::string one = certificate();
  const auto bundle = parse_trust_bundle("some text\n" + one + certificate(), kCrl + kCrl);
  ASSERT_TRUE(bundle.ok()) << bundle.error().text;
  EXPECT_EQ(bundle.value().certificates.size(), 2u);
  EXPECT_EQ(bundle.value().crls.size(), 2u);
  const auto alone = parse_trust_bundle(one, std::nullopt);
  ASSERT_TRUE(alone.ok());
  EXPECT_EQ(alone.value().certificates[0], bundle.value().certificates[0]);
  EXPECT_TRUE(alone.value().crls.empty());
}

TEST(TrustBundle, KeysAndOtherBlocksArePassedOver) {
  const PemPair pair = make_self_signed({"ca.test"}, 1'800'000'000, 30);
  const auto bundle = parse_trust_bundle(pair.key + pair.certificate + kCrl, std::nullopt);
  ASSERT_TRUE(bundle.ok()) << bundle.error().text;
  EXPECT_EQ(bundle.value().certificates.size(), 1u);
  EXPECT_TRUE(bundle.value().crls.empty());
}

TEST(TrustBundle, WhatCannotBeReadIsRefusedByItsBlock) {
  const std::string good = certificate();
  const std::string garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const std::string cut = good.substr(0, good.size() / 2);
  struct Case {
    const char* name;
    std::string ca;
    std::optional<std::string> crl;
    const char* text;
  };
  for (const Case& c : {Case{"nothing", "", std::nullopt, "ca.crt: certificates: none found"},
                        Case{"only a list", kCrl, std::nullopt, "ca.crt: certificates: none found"},
                        Case{"not DER", good + garbled, std::nullopt, "PEM block 2"},
                        Case{"cut off", good + cut, std::nullopt, "PEM block 2"},
                        Case{"an empty list", good, "", "ca.crl: revocation lists: none found"},
                        Case{"a certificate as list", good, good, "ca.crl: revocation lists"}}) {
    SCOPED_TRACE(c.name);
    std::optional<std::string_view> crl;
    if (c.crl) crl = *c.crl;
    const auto bundle = parse_trust_bundle(c.ca, crl);
    ASSERT_FALSE(bundle.ok());
    EXPECT_NE(bundle.error().text.find(c.text), std::string::npos) << bundle.error().text;
  }
}

TEST(TrustBundle, TooManyAreRefused) {
  std::string many;
  const std::string one = certificate();
  for (int i = 0; i < 1'025; ++i) many += one;
  const auto bundle = parse_trust_bundle(many, std::nullopt);
  ASSERT_FALSE(bundle.ok());
  EXPECT_NE(bundle.error().text.find("at most 1024"), std::string::npos) << bundle.error().text;
}

}  // namespace
}  // namespace weir::crypto
