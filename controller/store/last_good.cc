#include "controller/store/last_good.h"

#include <utility>

namespace weir::store {
namespace {

bool has_pair(const Secret& secret) { return secret.key_pair && secret.key_pair->ok(); }

}  // namespace

ObjectPtr with_last_good(ObjectPtr next, const ObjectPtr& before) {
  if (next->key.kind != Kind::kSecret || before == nullptr) return next;
  const auto old = std::static_pointer_cast<const Secret>(before);
  const auto last = has_pair(*old) ? old : old->last_good;
  // It was made as a mutable object a moment ago, and is still only ours.
  const auto secret = std::static_pointer_cast<Secret>(std::const_pointer_cast<Object>(next));
  if (last != nullptr && !has_pair(*secret)) secret->last_good = last;
  return next;
}

}  // namespace weir::store
