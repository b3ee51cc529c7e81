#include "common/wire/messages.h"

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "common/crypto/digest.h"

namespace weir::wire {
namespace {

using base::ErrorKind;
using model::ResourceType;

model::ResourcePtr sample_route() {
  model::Route route;
  route.table = "main";
  route.host = "shop.example.test";
  route.id = "ns/cart/0";
  return model::make_resource(route);
}

TEST(Messages, HelloSurvivesTheWayThere) {
  Hello hello;
  hello.instance = "abc";
  hello.applied = 41;
  hello.features = {{"cors", 2}};
  hello.digests = {{ResourceType::kRoute, "00ff"}};
  const auto got = from_frame<Hello>(to_frame(FrameType::kHello, hello));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value().instance, "abc");
  EXPECT_EQ(got.value().applied, 41U);
  EXPECT_EQ(got.value().features, hello.features);
  EXPECT_EQ(got.value().digests, hello.digests);
  EXPECT_EQ(got.value().protocol, kProtocolVersion);
}

TEST(Messages, MembersOfANewerVersionAreIgnored) {
  const Frame frame{FrameType::kAck, R"({"version":7,"mood":{"good":true},"degraded":[]})", {}};
  const auto got = from_frame<Ack>(frame);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value().version, 7U);
}

TEST(Messages, BrokenJsonIsAProtocolErrorAndAWrongFieldIsNamed) {
  const auto broken = from_frame<Begin>(Frame{FrameType::kBegin, "{\"version\":", {}});
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().kind, ErrorKind::kProtocol);
  const auto wrong = from_frame<Begin>(Frame{FrameType::kBegin, R"({"version":-1})", {}});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(wrong.error().text.find("version: -1"), std::string::npos) << wrong.error().text;
}

TEST(Upsert, CarriesJsonAndBlobsAndIsReadBackEqual) {
  model::Certificate certificate;
  certificate.name = "shop/tls";
  const auto sent = model::make_resource(certificate, {std::string("\x30\x00", 2), "key"});
  const auto got = read_upsert(upsert_frame(*sent));
  ASSERT_TRUE(got.ok()) << got.error().text;
  EXPECT_EQ(got.value()->key, sent->key);
  EXPECT_EQ(got.value()->json, sent->json);
  EXPECT_EQ(got.value()->blobs, sent->blobs);
  EXPECT_EQ(got.value()->hash, sent->hash);
}

TEST(Upsert, IsRefusedWhenAnythingWasChangedOnTheWay) {
  const auto route = sample_route();
  struct Case {
    std::string_view name, text;
    void (*damage)(Frame&);
  };
  for (const Case& c :
       {Case{"changed JSON", "does not match the content", [](Frame& f) { f.blobs[0] += ' '; }},
        Case{"extra blob", "does not match the content", [](Frame& f) { f.blobs.push_back(""); }},
        Case{"no blob", "blob 0", [](Frame& f) { f.blobs.clear(); }},
        Case{"other name", "does not match the content",
             [](Frame& f) { f.json.replace(f.json.find("cart"), 4, "Cart"); }},
        Case{"no name", "name is empty", [](Frame& f) { f.json = R"({"type":"route"})"; }},
        Case{"unknown type", "type", [](Frame& f) { f.json = R"({"type":"moon","name":"x"})"; }}}) {
    SCOPED_TRACE(c.name);
    Frame frame = upsert_frame(*route);
    c.damage(frame);
    const auto got = read_upsert(std::move(frame));
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(got.error().text.find(c.text), std::string::npos) << got.error().text;
  }
}

TEST(Digest, DoesNotDependOnOrderAndForgetsWhatWasRemoved) {
  Digest one;
  Digest two;
  EXPECT_EQ(one.to_string(), std::string(32, '0'));
  one.add("a", "1");
  one.add("b", "2");
  two.add("b", "2");
  two.add("x", "9");
  two.add("a", "1");
  EXPECT_NE(one.to_string(), two.to_string());
  two.remove("x", "9");
  EXPECT_EQ(one.to_string(), two.to_string());
  one.remove("a", "1");
  one.remove("b", "2");
  EXPECT_EQ(one.to_string(), Digest().to_string());
}

TEST(Digest, TellsApartWhereNameEndsAndHashBegins) {
  Digest one;
  Digest two;
  one.add("ab", "c");
  two.add("a", "bc");
  EXPECT_NE(one.to_string(), two.to_string());
}

TEST(Digest, OfOnePairIsTheFirstHalfOfItsSha256) {
  Digest digest;
  digest.add("name", "hash");
  EXPECT_EQ(digest.to_string(), base::hex(crypto::sha256("4:namehash")).substr(0, 32));
}

}  // namespace
}  // namespace weir::wire
