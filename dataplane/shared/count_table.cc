#include "dataplane/shared/count_table.h"

#include "common/base/check.h"

namespace weir::shared {
namespace {

constexpr unsigned kCountBits = 24;
constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;
constexpr int kMostCountTries = 64;  // against other threads in the same set

std::uint64_t count_tag(std::uint64_t key) { return key & ~kCountMask; }

// The word of the key, null when it has none.
std::uint64_t* find(Words::Set set, std::uint64_t tag) {
  for (std::uint64_t& word : set) {
    const std::uint64_t now = Words::load(word);
    if ((now & kCountMask) != 0 && (now & ~kCountMask) == tag) return &word;
  }
  return nullptr;
}

std::uint64_t* find_free(Words::Set set) {
  for (std::uint64_t& word : set) {
    if ((Words::load(word) & kCountMask) == 0) return &word;
  }
  return nullptr;
}

}  // namespace

CountTable::Entry CountTable::enter(std::uint64_t key, std::uint32_t most) {
  const std::uint64_t tag = count_tag(key);
  const Words::Set set = words_.set(key);
  for (int tries = 0; tries < kMostCountTries; ++tries) {
    std::uint64_t* word = find(set, tag);
    if (word == nullptr) word = find_free(set);
    if (word == nullptr) return Entry::kUncounted;
    std::uint64_t before = Words::load(*word);
    const std::uint64_t count = before & kCountMask;
    if (count != 0 && (before & ~kCountMask) != tag) continue;  // another client was faster
    if (count >= most || count == kCountMask) return Entry::kFull;
    if (Words::swap(*word, before, tag | (count + 1))) return Entry::kCounted;
  }
  return Entry::kUncounted;
}

void CountTable::leave(std::uint64_t key) {
  const Words::Set set = words_.set(key);
  while (true) {
    std::uint64_t* const word = find(set, count_tag(key));
    WEIR_CHECK(word != nullptr);
    std::uint64_t before = Words::load(*word);
    if ((before & ~kCountMask) != count_tag(key) || (before & kCountMask) == 0) continue;
    if (Words::swap(*word, before, before - 1)) return;
  }
}

std::uint32_t CountTable::count(std::uint64_t key) const {
  const std::uint64_t* const word = find(words_.set(key), count_tag(key));
  return word == nullptr ? 0 : static_cast<std::uint32_t>(Words::load(*word) & kCountMask);
}

}  // namespace weir::shared
