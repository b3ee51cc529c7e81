#pragma once

#include "controller/store/object.h"

namespace weir::store {

// Lets a Secret that has just been parsed, and whose key pair is missing or broken, remember the
// last one of its key that had a usable pair: a write that went wrong then does not take the
// certificate away. before: what the store holds of this key, or null. Objects of other kinds, and
// a Secret with a good pair, come back as they are.
// next: nobody else has it yet.
ObjectPtr with_last_good(ObjectPtr next, const ObjectPtr& before);

}  // namespace weir::store
