#include "common/base/hash.h"

#include <sys/random.h>

namespace weir::base {

std::uint64_t process_seed() {
  static const std::uint64_t seed = [] {
    std::uint64_t value = 0x9e3779b97f4a7c15ULL;
    // A failure leaves the constant: the tables still work, only less well defended.
    [[maybe_unused]] const auto got = getrandom(&value, sizeof value, GRND_NONBLOCK);
    return value | 1;
  }();
  return seed;
}

}  // namespace weir::base
