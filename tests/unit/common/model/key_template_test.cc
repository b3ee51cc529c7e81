#include "common/model/key_template.h"

#include <gtest/gtest.h>

namespace weir::model {
namespace {

using Part = KeyTemplate::Part;

std::string shape(std::string_view text) {
  const auto parsed = KeyTemplate::parse(text);
  if (!parsed.ok()) return "! " + parsed.error().text;
  std::string out;
  for (const KeyTemplate::Piece& piece : parsed.value().pieces()) {
    out += std::to_string(static_cast<int>(piece.part)) + "<" + piece.text + ">";
  }
  return out;
}

std::string piece(Part part, std::string_view text = {}) {
  return std::to_string(static_cast<int>(part)) + "<" + std::string(text) + ">";
}

TEST(KeyTemplate, TakesTheVariablesOfNginx) {
  EXPECT_EQ(shape("$request_uri"), piece(Part::kRequestUri));
  EXPECT_EQ(shape("$request_uri$host"), piece(Part::kRequestUri) + piece(Part::kHost));
  EXPECT_EQ(shape("a-${arg_user}b"),
            piece(Part::kText, "a-") + piece(Part::kArg, "user") + piece(Part::kText, "b"));
  EXPECT_EQ(shape("$http_X_User_Id"), piece(Part::kHeader, "x-user-id"));
  EXPECT_EQ(shape("$cookie_SID.$binary_remote_addr"),
            piece(Part::kCookie, "SID") + piece(Part::kText, ".") + piece(Part::kBinaryAddr));
  EXPECT_EQ(shape("$query_string"), shape("$args"));
  EXPECT_EQ(shape("fixed"), piece(Part::kText, "fixed"));
}

TEST(KeyTemplate, NamesWhatItDoesNotKnow) {
  EXPECT_NE(shape("$ssl_cipher").find("! variable $ssl_cipher is not one of"), std::string::npos);
  EXPECT_NE(shape("$arg_").find("! variable $arg_"), std::string::npos);
  for (const std::string_view bad : {"$", "a$", "${host", "${}", "$$", "$ host"}) {
    EXPECT_NE(shape(bad).find("begins no variable"), std::string::npos) << bad;
  }
  EXPECT_EQ(shape(""), "! must not be empty");
  EXPECT_EQ(shape(std::string(1'025, 'x')), "! is longer than 1024 bytes");
  std::string many;
  for (int i = 0; i < 40; ++i) many += "$host";
  EXPECT_EQ(shape(many), "! has more than 32 parts");
}

}  // namespace
}  // namespace weir::model
