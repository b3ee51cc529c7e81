#pragma once

#include <optional>
#include <vector>

#include "common/base/fd.h"
#include "common/base/json.h"
#include "common/base/result.h"

namespace weir::supervisor {

// One message of the channel: JSON, with descriptors beside it.
struct Packet {
  base::Json message;
  std::vector<base::UniqueFd> fds;
};

inline constexpr std::size_t kMostFds = 253;  // the kernel's bound (SCM_MAX_FD)
inline constexpr std::size_t kPacketBytes = 16 * 1024;

// Sends the descriptors of fds (borrowed) with the message. wait: block while the peer's queue is
// full, else fail.
//   errors: kSystem; kClosed when the peer is gone.
base::Result<void> send_packet(int socket, const base::Json& message, const std::vector<int>& fds,
                               bool wait);
// Blocks for one packet.
//   errors: kClosed at the end; kProtocol for what is not JSON or was cut; kSystem.
base::Result<Packet> receive_packet(int socket);

}  // namespace weir::supervisor
