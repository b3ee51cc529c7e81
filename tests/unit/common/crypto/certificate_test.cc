#include "common/crypto/certificate.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <set>

#include "common/base/text.h"

namespace weir::crypto {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

std::string key_pem(EVP_PKEY* key, const char* password = nullptr) {
  BIO* bio = BIO_new(BIO_s_mem());
  const int length = password == nullptr ? 0 : static_cast<int>(std::string_view(password).size());
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(bio, key, password ? EVP_aes_128_cbc() : nullptr,
                                          password, length, nullptr, nullptr),
            1);
  return bio_text(bio);
}

// A certificate without SAN, signed by the key itself; digest null for Ed25519.
PemPair with_common_name(EVP_PKEY* key, const char* name, const EVP_MD* digest) {
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0xabc);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_set_pubkey(certificate, key);
  EXPECT_GT(X509_sign(certificate, key, digest), 0);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  X509_free(certificate);
  PemPair out{bio_text(bio), key_pem(key)};
  EVP_PKEY_free(key);
  return out;
}

TEST(SelfSigned, IsReadBackWithEveryFactInPlace) {
  const PemPair made = make_self_signed({"Ingress.local", "*.shop.test", "a,DNS:evil"}, kNow, 90);
  const auto got = parse_key_pair(made.certificate, made.key);
  ASSERT_TRUE(got.ok()) << got.error().text;
  const KeyPair& pair = got.value();
  EXPECT_EQ(pair.names, (std::vector<std::string>{"ingress.local", "*.shop.test", "a,dns:evil"}));
  EXPECT_EQ(pair.key_type, "ec");
  EXPECT_EQ(pair.not_before, kNow - 3600);
  EXPECT_EQ(pair.not_after, kNow + 90 * 86'400);
  EXPECT_EQ(pair.fingerprint.size(), 64U);
  EXPECT_EQ(pair.serial.size(), 32U);
  EXPECT_EQ(pair.issuer, "CN=Ingress.local");
  ASSERT_EQ(pair.chain.size(), 1U);
}

TEST(SelfSigned, DerOfLeafAndKeyIsWhatATlsStackTakes) {
  const PemPair made = make_self_signed({"a.test"}, kNow, 1);
  const auto pair = parse_key_pair(made.certificate, made.key);
  ASSERT_TRUE(pair.ok());
  const auto* at = reinterpret_cast<const unsigned char*>(pair.value().chain[0].data());
  X509* leaf = d2i_X509(nullptr, &at, static_cast<long>(pair.value().chain[0].size()));
  ASSERT_NE(leaf, nullptr);
  at = reinterpret_cast<const unsigned char*>(pair.value().key.data());
  PKCS8_PRIV_KEY_INFO* info =
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pair.value().key.size()));
  ASSERT_NE(info, nullptr) << "the key is PKCS#8";
  EVP_PKEY* key = EVP_PKCS82PKEY(info);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(X509_check_private_key(leaf, key), 1);
  EXPECT_EQ(X509_verify(leaf, key), 1);
  EVP_PKEY_free(key);
  PKCS8_PRIV_KEY_INFO_free(info);
  X509_free(leaf);
}

TEST(SelfSigned, LongNamesAreCutOnlyInTheCommonName) {
  std::string name(60, 'a');
  name.append(".").append(60, 'b').append(".test");
  const PemPair made = make_self_signed({name}, kNow, 1);
  const auto pair = parse_key_pair(made.certificate, made.key);
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ(pair.value().names, std::vector<std::string>{name});
}

TEST(KeyPair, TypesAreNamedAndTheCommonNameCountsWithoutSan) {
  struct Case {
    std::string_view type;
    PemPair pair;
  };
  for (const Case& c :
       {Case{"rsa", with_common_name(EVP_RSA_gen(2048), "Old.Test", EVP_sha256())},
        Case{"ec", with_common_name(EVP_EC_gen("P-384"), "Old.Test", EVP_sha256())},
        Case{"ed25519", with_common_name(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), "Old.Test",
                                         nullptr)}}) {
    SCOPED_TRACE(c.type);
    const auto got = parse_key_pair(c.pair.certificate, c.pair.key);
    ASSERT_TRUE(got.ok()) << got.error().text;
    EXPECT_EQ(got.value().key_type, c.type);
    EXPECT_EQ(got.value().names, std::vector<std::string>{"old.test"});
    EXPECT_EQ(got.value().serial, "0abc");
  }
}

TEST(KeyPair, OldKeyFormsAndForeignBlocksArePassedOver) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey_traditional(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  const std::string traditional =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" +
      bio_text(bio);
  const PemPair pair = with_common_name(key, "a.test", EVP_sha256());
  const auto got =
      parse_key_pair("some words in front\n" + pair.key + pair.certificate, traditional);
  ASSERT_TRUE(got.ok()) << got.error().text;
  EXPECT_EQ(got.value().chain.size(), 1U);
}

TEST(KeyPair, WhatIsWrongIsNamed) {
  const PemPair one = make_self_signed({"one.test"}, kNow, 1);
  const PemPair two = make_self_signed({"two.test"}, kNow, 1);
  const PemPair weak = with_common_name(EVP_RSA_gen(1024), "a", EVP_sha256());
  const PemPair odd = with_common_name(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"), "a", nullptr);
  EVP_PKEY* secret = EVP_EC_gen("P-256");
  const std::string encrypted = key_pem(secret, "password");
  EVP_PKEY_free(secret);
  std::string cut = one.certificate;
  cut.resize(cut.size() / 2);
  const std::string not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  struct Case {
    std::string_view name;
    std::string certificate, key, text;
  };
  for (const Case& c :
       {Case{"nothing", "", one.key, "no certificate found"},
        Case{"no PEM", "hello", one.key, "no certificate found"},
        Case{"cut PEM", cut, one.key, "PEM block 1"},
        Case{"second block broken", one.certificate + not_der, one.key, "PEM block 2"},
        Case{"no key", one.certificate, "", "no key found"},
        Case{"a certificate as key", one.certificate, one.certificate, "no key found"},
        Case{"encrypted key", one.certificate, encrypted, "encrypted"},
        Case{"foreign key", one.certificate, two.key, "does not match"},
        Case{"wrong order", two.certificate + one.certificate, one.key, "not leaf first"},
        Case{"weak RSA", weak.certificate, weak.key, "RSA of 1024 bits"},
        Case{"Ed448", odd.certificate, odd.key, "type is not served"}}) {
    SCOPED_TRACE(c.name);
    const auto got = parse_key_pair(c.certificate, c.key);
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().kind, base::ErrorKind::kInvalid);
    EXPECT_NE(got.error().text.find(c.text), std::string::npos) << got.error().text;
    EXPECT_EQ(ERR_peek_error(), 0UL) << "no error stays behind for the next TLS call";
  }
}

TEST(KeyPair, ChainKeepsItsOrder) {
  const PemPair one = make_self_signed({"one.test"}, kNow, 1);
  const PemPair two = make_self_signed({"two.test"}, kNow, 1);
  const auto both = parse_key_pair(one.certificate + two.certificate, one.key);
  const auto second = parse_key_pair(two.certificate, two.key);
  ASSERT_TRUE(both.ok() && second.ok());
  ASSERT_EQ(both.value().chain.size(), 2U);
  EXPECT_EQ(both.value().chain[1], second.value().chain[0]);
}

TEST(Covers, WildcardsTakeExactlyOneLabel) {
  const std::vector<std::string> names = {"shop.test", "*.api.test", "*"};
  EXPECT_TRUE(covers(names, "shop.test"));
  EXPECT_TRUE(covers(names, "v1.api.test"));
  for (const std::string_view host :
       {"www.shop.test", "api.test", "a.b.api.test", ".api.test", "", "xapi.test", "localhost"}) {
    EXPECT_FALSE(covers(names, host)) << host;
  }
}

TEST(RandomBytes, AreOfTheAskedSizeAndDoNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(random_bytes(16));
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_EQ(random_bytes(0), "");
  EXPECT_EQ(random_bytes(80).size(), 80U);
}

TEST(Wipe, OverwritesTheBytesThatTheStringOwns) {
  std::string secret(100, 's');
  const char* at = secret.data();
  secret.resize(50);
  wipe(secret);
  EXPECT_TRUE(secret.empty());
  ASSERT_EQ(secret.data(), at) << "the buffer is still the string's own";
  secret.resize(1);
  for (std::size_t i = 1; i < 100; ++i) EXPECT_EQ(at[i], '\0') << i;
}

}  // namespace
}  // namespace weir::crypto
