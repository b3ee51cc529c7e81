#pragma once

#include <cstdint>

#include "dataplane/shared/words.h"

namespace weir::shared {

// How many of something each client has open now, for any number of clients in fixed memory. A
// count is one 64-bit word: 40 bits of the key and 24 of the count; a count of zero frees the word.
// A key may stand in the eight words of its set; when those hold eight other clients it is not
// counted and not limited. Any thread.
class CountTable {
 public:
  static constexpr std::size_t kWords = 131'072;  // 1 MiB

  explicit CountTable(std::size_t words = kWords) : words_(words / Words::kWays) {}

  enum class Entry : std::uint8_t { kCounted, kUncounted, kFull };
  // Counts one more for key (client_key.h) unless `most` are open. Only kCounted is to be left.
  Entry enter(std::uint64_t key, std::uint32_t most);
  void leave(std::uint64_t key);
  std::uint32_t count(std::uint64_t key) const;
  std::size_t bytes() const { return words_.bytes(); }

 private:
  Words words_;
};

}  // namespace weir::shared
