#include "dataplane/filters/htpasswd.h"

#include <gtest/gtest.h>

#include "dataplane/filters/verdict_cache.h"

namespace weir::filters {
namespace {

TEST(VerifyPassword, KnowsEveryHashThatHtpasswdWrites) {
  struct Case {
    std::string_view name, hash, password;
  };
  for (const Case& c : {
           Case{"bcrypt", "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", "secret"},
           Case{"apr1", "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/", "secret"},
           Case{"apr1 with a long password", "$apr1$xy$EO3CYijqKkFT2FWhCz64c.",
                "a password of more than sixteen bytes"},
           Case{"SHA", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret"},
           Case{"SSHA", "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0", "secret"},
           Case{"crypt, DES", "abNANd1rDfiNc", "secret"},
           Case{"crypt, MD5", "$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "secret"},
           Case{"crypt, SHA-256", "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA",
                "secret"},
           Case{"crypt, SHA-512",
                "$6$saltsalt$"
                "TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq."
                "H91p5hVO1",
                "secret"},
       }) {
    SCOPED_TRACE(c.name);
    EXPECT_TRUE(verify_password(c.hash, c.password));
    EXPECT_FALSE(verify_password(c.hash, "Secret"));
    EXPECT_FALSE(verify_password(c.hash, ""));
    EXPECT_TRUE(Htpasswd::parse("u:" + std::string(c.hash)).ok());
  }
}

TEST(VerifyPassword, RefusesNonsense) {
  for (const std::string_view hash :
       {"$2y$05$short", "$9$nope$nope", "{SHA}!!", "{SSHA}AAAA", ""}) {
    EXPECT_FALSE(verify_password(hash, "secret")) << hash;
    EXPECT_FALSE(verify_password(hash, "")) << hash;
  }
  EXPECT_FALSE(verify_password("abNANd1rDfiNc", std::string_view("secret\0x", 8)));
}

TEST(Htpasswd, IsReadLineByLine) {
  struct Case {
    std::string_view name, text, error;
  };
  for (const Case& c : {
           Case{"comments, blanks and CRLF", "# users\r\n\r\nbob:{SHA}x\r\n", ""},
           Case{"a comment behind the hash", "bob:{SHA}x:the builder", ""},
           Case{"plain text", "amy:{SHA}x\nbob:letmein", "line 2: the hash of user 'bob' is not "},
           Case{"no colon", "bob", "line 1: is not 'user:hash'"},
           Case{"no user", ":{SHA}x", "line 1: is not 'user:hash'"},
           Case{"empty", "\n#\n", "no user"},
       }) {
    SCOPED_TRACE(c.name);
    const auto got = Htpasswd::parse(c.text);
    EXPECT_EQ(got.ok(), c.error.empty());
    if (got.ok()) {
      EXPECT_NE(got.value().find("bob"), nullptr);
      EXPECT_EQ(got.value().find("bobby"), nullptr);
    } else {
      EXPECT_NE(got.error().text.find(c.error), std::string::npos) << got.error().text;
      EXPECT_EQ(got.error().text.find("letmein"), std::string::npos);
    }
  }
}

TEST(Htpasswd, TheFirstLineOfAUserCounts) {
  const auto got = Htpasswd::parse("b:{SHA}1\na:{SHA}2\nb:{SHA}3");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value().find("b")->hash, "{SHA}1");
}

TEST(VerdictCache, ForgetsByTimeAndByNumber) {
  VerdictCache cache;
  const base::TimePoint now{std::chrono::hours(1)};
  EXPECT_EQ(cache.find("k", now), std::nullopt);
  cache.store("k", true, now);
  cache.store("n", false, now);
  EXPECT_EQ(cache.find("k", now), true);
  EXPECT_EQ(cache.find("n", now), false);
  EXPECT_EQ(cache.find("k", now + VerdictCache::kLifetime), std::nullopt);
  for (std::size_t i = 0; i < 3 * VerdictCache::kMost; ++i) {
    cache.store(std::to_string(i), true, now);
  }
  EXPECT_LE(cache.size(), VerdictCache::kMost);
}

}  // namespace
}  // namespace weir::filters
