#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "common/base/check.h"

namespace weir::shared {

// A fixed array of 64-bit words in sets of one cache line, for tables that all threads read and
// write. Zero at the start; a page costs memory from its first use on. Any thread.
class Words {
 public:
  static constexpr std::size_t kWays = 8;
  using Set = std::span<std::uint64_t, kWays>;

  // sets: a power of two.
  explicit Words(std::size_t sets)
      : mask_(sets - 1),
        memory_(
            static_cast<std::uint64_t*>(std::calloc(sets * kWays + kWays, sizeof(std::uint64_t)))) {
    WEIR_CHECK(memory_ != nullptr && (sets & mask_) == 0);
    void* start = memory_.get();
    std::size_t room = (sets * kWays + kWays) * sizeof(std::uint64_t);
    first_ = static_cast<std::uint64_t*>(std::align(64, sets * kWays * 8, start, room));
    WEIR_CHECK(first_ != nullptr);
  }
  Set set(std::uint64_t hash) const { return Set(first_ + (hash & mask_) * kWays, kWays); }
  std::size_t sets() const { return mask_ + 1; }
  std::size_t bytes() const { return sets() * kWays * sizeof(std::uint64_t); }

  static std::uint64_t load(const std::uint64_t& word) {
    return std::atomic_ref(const_cast<std::uint64_t&>(word)).load(std::memory_order_relaxed);
  }
  // Puts `to` where `from` still stands; else from becomes what stands there.
  static bool swap(std::uint64_t& word, std::uint64_t& from, std::uint64_t to) {
    return std::atomic_ref(word).compare_exchange_strong(from, to, std::memory_order_relaxed);
  }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::size_t mask_;
  std::unique_ptr<std::uint64_t, Free> memory_;
  std::uint64_t* first_;
};

}  // namespace weir::shared
