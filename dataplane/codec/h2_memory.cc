#include "dataplane/codec/h2_memory.h"

#include <cstdlib>
#include <cstring>

#include "common/base/check.h"

namespace weir::codec {
namespace {

// In front of every block; keeps malloc's alignment.
constexpr std::size_t kPrefix = 16;

base::WorkerBudget& budget_of(void* user) { return *static_cast<base::WorkerBudget*>(user); }

void* take(std::size_t size, void* user) {
  void* block = std::malloc(kPrefix + size);
  WEIR_CHECK(block != nullptr);
  std::memcpy(block, &size, sizeof size);
  budget_of(user).charge(kPrefix + size);
  return static_cast<char*>(block) + kPrefix;
}

void give_back(void* bytes, void* user) {
  if (bytes == nullptr) return;
  void* block = static_cast<char*>(bytes) - kPrefix;
  std::size_t size = 0;
  std::memcpy(&size, block, sizeof size);
  budget_of(user).release(kPrefix + size);
  std::free(block);
}

void* take_zeroed(std::size_t count, std::size_t size, void* user) {
  WEIR_CHECK(size == 0 || count <= SIZE_MAX / size - kPrefix);
  void* bytes = take(count * size, user);
  std::memset(bytes, 0, count * size);
  return bytes;
}

void* resize(void* bytes, std::size_t size, void* user) {
  if (bytes == nullptr) return take(size, user);
  std::size_t before = 0;
  std::memcpy(&before, static_cast<char*>(bytes) - kPrefix, sizeof before);
  if (size <= before) return bytes;
  void* bigger = take(size, user);
  std::memcpy(bigger, bytes, before);
  give_back(bytes, user);
  return bigger;
}

}  // namespace

H2Memory::H2Memory(base::WorkerBudget& budget)
    : allocator_{&budget, &take, &give_back, &take_zeroed, &resize} {}

}  // namespace weir::codec
