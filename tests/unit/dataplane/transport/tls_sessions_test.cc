#include "dataplane/transport/tls_sessions.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace weir::transport {
namespace {

Session session(unsigned char id) {
  Session out(SSL_SESSION_new());
  SSL_SESSION_set1_id(out.get(), &id, 1);
  SSL_SESSION_set_protocol_version(out.get(), TLS1_2_VERSION);
  return out;
}

TEST(SessionStore, GivesEachSessionOnceToItsOwnKey) {
  SessionStore store;
  store.put("a", session(1));
  EXPECT_EQ(store.take("b"), nullptr);
  EXPECT_NE(store.take("a"), nullptr);
  EXPECT_EQ(store.take("a"), nullptr);
  EXPECT_EQ(store.size(), 0u);
}

TEST(SessionStore, KeepsAFewOfEachKeyAndSoManyInAll) {
  SessionStore store;
  for (int i = 0; i < 20; ++i) store.put("a", session(1));
  EXPECT_EQ(store.size(), SessionStore::kMostOfOne);
  for (std::size_t i = 0; i < 2 * SessionStore::kMost; ++i) {
    store.put(std::to_string(i), session(1));
  }
  EXPECT_EQ(store.size(), SessionStore::kMost);
  EXPECT_EQ(store.take("a"), nullptr) << "the oldest went first";
  EXPECT_NE(store.take(std::to_string(2 * SessionStore::kMost - 1)), nullptr);
}

}  // namespace
}  // namespace weir::transport
