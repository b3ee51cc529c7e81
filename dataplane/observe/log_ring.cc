#include "dataplane/observe/log_ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include "common/base/check.h"

namespace weir::observe {

LogRing::LogRing(std::size_t capacity) : capacity_(capacity) {
  const base::UniqueFd file(memfd_create("weir-access-log", MFD_CLOEXEC));
  WEIR_CHECK(file.valid());
  WEIR_CHECK(ftruncate(file.get(), static_cast<off_t>(capacity)) == 0);
  void* const place = mmap(nullptr, capacity * 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  WEIR_CHECK(place != MAP_FAILED);
  memory_ = static_cast<char*>(place);
  for (const std::size_t offset : {std::size_t{0}, capacity}) {
    const void* const half = mmap(memory_ + offset, capacity, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_FIXED, file.get(), 0);
    WEIR_CHECK(half != MAP_FAILED);
  }
}

LogRing::~LogRing() { munmap(memory_, capacity_ * 2); }

char* LogRing::reserve(std::size_t most) {
  const std::uint64_t given = given_.load(std::memory_order_relaxed);
  const std::uint64_t used = given - taken_.load(std::memory_order_acquire);
  return capacity_ - used < most ? nullptr : memory_ + given % capacity_;
}

void LogRing::give(std::size_t used) {
  given_.store(given_.load(std::memory_order_relaxed) + used, std::memory_order_release);
}

std::string_view LogRing::peek() const {
  const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
  const std::uint64_t given = given_.load(std::memory_order_acquire);
  return {memory_ + taken % capacity_, static_cast<std::size_t>(given - taken)};
}

void LogRing::take(std::size_t size) {
  taken_.store(taken_.load(std::memory_order_relaxed) + size, std::memory_order_release);
}

}  // namespace weir::observe
