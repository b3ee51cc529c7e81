#include "controller/store/last_good.h"

#include <gtest/gtest.h>

#include "common/crypto/certificate.h"

namespace weir::store {
namespace {

enum class Pair { kNone, kBroken, kGood };

std::shared_ptr<Secret> secret(Pair what) {
  static const crypto::PemPair good = crypto::make_self_signed({"a.test"}, 1'800'000'000, 30);
  auto out = std::make_shared<Secret>();
  out->key = {Kind::kSecret, "shop", "cert"};
  if (what == Pair::kGood)
    out->key_pair.emplace(crypto::parse_key_pair(good.certificate, good.key));
  if (what == Pair::kBroken) out->key_pair.emplace(crypto::parse_key_pair(good.certificate, ""));
  return out;
}

const Secret* last_of(const ObjectPtr& object) {
  return static_cast<const Secret&>(*object).last_good.get();
}

TEST(LastGood, ABrokenPairRemembersTheGoodOneBefore) {
  const ObjectPtr good = secret(Pair::kGood);
  for (const Pair bad : {Pair::kBroken, Pair::kNone}) {
    const ObjectPtr next = with_last_good(secret(bad), good);
    EXPECT_EQ(last_of(next), good.get());
    const ObjectPtr later = with_last_good(secret(Pair::kBroken), next);
    EXPECT_EQ(last_of(later), good.get()) << "over several bad writes, without a chain";
  }
}

TEST(LastGood, AGoodPairRemembersNothing) {
  const ObjectPtr good = secret(Pair::kGood);
  const ObjectPtr bad = with_last_good(secret(Pair::kBroken), good);
  EXPECT_EQ(last_of(with_last_good(secret(Pair::kGood), bad)), nullptr);
  EXPECT_EQ(last_of(with_last_good(secret(Pair::kGood), good)), nullptr);
}

TEST(LastGood, WithoutAGoodOneBeforeThereIsNone) {
  EXPECT_EQ(last_of(with_last_good(secret(Pair::kBroken), nullptr)), nullptr);
  EXPECT_EQ(last_of(with_last_good(secret(Pair::kBroken), secret(Pair::kBroken))), nullptr);
}

TEST(LastGood, OtherKindsComeBackAsTheyAre) {
  auto map = std::make_shared<ConfigMap>();
  map->key = {Kind::kConfigMap, "shop", "cert"};
  EXPECT_EQ(with_last_good(map, map), map);
}

}  // namespace
}  // namespace weir::store
