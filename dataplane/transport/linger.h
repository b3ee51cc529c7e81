#pragma once

#include "common/base/fd.h"
#include "common/loop/loop.h"
#include "dataplane/transport/out_queue.h"
#include "dataplane/worker/worker.h"

namespace weir::transport {

// A socket whose owner is gone, with what is still to be written.
struct Lingering {
  base::UniqueFd fd;
  loop::IoToken token;  // its registration with the worker's loop; may be invalid
  OutQueue out;
  bool peer_done = false;  // the peer sends nothing more
};

// Writes the rest, sends FIN, and discards what the peer still sends until it closes too, at most
// 2 s; a close with unread input would reset the connection and destroy the last bytes (RFC 9112
// section 9.6). A peer that takes less than 8 KiB in 30 s is closed. When the peer is done and the
// kernel takes the rest, the socket is closed before this returns.
void linger(worker::Worker& worker, Lingering rest);

// Bytes in the socket's send buffer that the peer has not acknowledged; 0 when unknown.
std::size_t untaken_bytes(int fd);

// Whether a read would bring bytes of the peer.
bool has_unread_bytes(int fd);

}  // namespace weir::transport
