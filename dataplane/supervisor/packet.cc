#include "dataplane/supervisor/packet.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/check.h"

namespace weir::supervisor {
namespace {

base::Error failed(std::string_view what, int errno_value) {
  base::Error error = base::system_error(what, errno_value);
  error.kind = errno_value == EPIPE || errno_value == ECONNRESET ? base::ErrorKind::kClosed
                                                                 : base::ErrorKind::kSystem;
  return error;
}

base::Error wrong(base::ErrorKind kind, std::string text) {
  return base::Error{kind, base::Origin::kSelf, false, std::move(text)};
}

void take_fds(msghdr& header, std::vector<base::UniqueFd>& out) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      out.emplace_back(fd);
    }
  }
}

}  // namespace

base::Result<void> send_packet(int socket, const base::Json& message, const std::vector<int>& fds,
                               bool wait) {
  WEIR_CHECK(fds.size() <= kMostFds);
  std::string text = message.to_string();
  iovec part{text.data(), text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
  }
  while (sendmsg(socket, &header, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) < 0) {
    if (errno != EINTR) return failed("supervisor channel: send", errno);
  }
  return {};
}

base::Result<Packet> receive_packet(int socket) {
  std::array<char, kPacketBytes> bytes;
  std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control;
  iovec part{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = 0;
  while ((got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno != EINTR) return failed("supervisor channel: receive", errno);
  }
  Packet packet;
  take_fds(header, packet.fds);
  if (got == 0) return wrong(base::ErrorKind::kClosed, "supervisor channel: closed by the peer");
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return wrong(base::ErrorKind::kProtocol, "supervisor channel: a packet was cut");
  }
  auto json = base::Json::parse({bytes.data(), static_cast<std::size_t>(got)});
  if (!json.ok()) {
    return wrong(base::ErrorKind::kProtocol, "supervisor channel: " + json.error().text);
  }
  packet.message = std::move(json).value();
  return packet;
}

}  // namespace weir::supervisor
