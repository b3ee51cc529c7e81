#include "dataplane/supervisor/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

// The two system calls have no wrapper in libc, and libcap would be a library for two lines.

namespace weir::supervisor {
namespace {

using Data = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

bool get(Data& data) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(SYS_capget, &header, data.data()) == 0;
}

void set(const Data& data) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  ::syscall(SYS_capset, &header, data.data());
}

}  // namespace

void use_bind_capability() {
  constexpr std::uint32_t kBit = CAP_TO_MASK(CAP_NET_BIND_SERVICE);
  Data data{};
  if (!get(data) || (data[0].permitted & kBit) == 0) return;
  data[0].effective |= kBit;
  set(data);
}

void drop_capabilities() {
  if (::geteuid() == 0) return;
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  set(Data{});
}

}  // namespace weir::supervisor
