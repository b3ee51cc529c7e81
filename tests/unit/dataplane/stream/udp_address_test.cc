#include "dataplane/stream/udp_address.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "common/base/fd.h"

namespace weir::stream {
namespace {

base::SocketAddress address_of(const std::string& ip, std::uint16_t port) {
  const auto parsed = base::SocketAddress::parse(ip, port);
  EXPECT_TRUE(parsed.ok()) << ip;
  return parsed.value();
}

struct Datagram {
  std::string bytes;
  base::SocketAddress from;
  UdpLocal local;
};

class Socket {
 public:
  explicit Socket(const std::string& ip)
      : address_(address_of(ip, 0)),
        fd_(::socket(address_.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(bind(fd_.get(), address_.data(), address_.size()), 0) << ip;
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    EXPECT_EQ(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
    port_ = base::SocketAddress(reinterpret_cast<sockaddr*>(&bound)).port();
    ask_for_local(fd_.get());
  }

  int fd() const { return fd_.get(); }
  std::uint16_t port() const { return port_; }
  void send(const base::SocketAddress& to) const {
    EXPECT_EQ(sendto(fd_.get(), "question", 8, 0, to.data(), to.size()), 8);
  }
  Datagram receive() const {
    pollfd ready{fd_.get(), POLLIN, 0};
    Datagram out;
    EXPECT_EQ(poll(&ready, 1, 5'000), 1) << "nothing came";
    std::array<char, 64> room;
    sockaddr_storage from{};
    UdpControl control{};
    iovec part{room.data(), room.size()};
    msghdr header{};
    header.msg_name = &from;
    header.msg_namelen = sizeof from;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes.data();
    header.msg_controllen = control.bytes.size();
    const ssize_t got = recvmsg(fd_.get(), &header, MSG_DONTWAIT);
    if (got < 0) return out;
    out.bytes.assign(room.data(), static_cast<std::size_t>(got));
    out.from = base::SocketAddress(reinterpret_cast<sockaddr*>(&from));
    out.local = local_of(header);
    return out;
  }

 private:
  base::SocketAddress address_;
  base::UniqueFd fd_;
  std::uint16_t port_ = 0;
};

struct Case {
  std::string server, asked, client;
};

// The address that was asked answers, though the socket is bound to all of them.
TEST(UdpAddress, AnAnswerComesFromTheAddressThatWasAsked) {
  const std::vector<Case> cases = {{"0.0.0.0", "127.0.0.2", "127.0.0.1"},
                                   {"0.0.0.0", "127.0.0.3", "127.0.0.1"},
                                   {"::", "::1", "::1"}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.asked);
    const Socket server(one.server), client(one.client);
    client.send(address_of(one.asked, server.port()));
    const Datagram question = server.receive();
    EXPECT_EQ(question.bytes, "question");
    EXPECT_FALSE(question.local.key().empty());
    send_from(server.fd(), question.local, question.from, "answer");
    const Datagram answer = client.receive();
    EXPECT_EQ(answer.bytes, "answer");
    EXPECT_EQ(answer.from.to_string(), address_of(one.asked, server.port()).to_string());
  }
}

TEST(UdpAddress, KeysTellAddressesApart) {
  const Socket server("0.0.0.0"), client("127.0.0.1");
  client.send(address_of("127.0.0.2", server.port()));
  client.send(address_of("127.0.0.3", server.port()));
  const UdpLocal two = server.receive().local;
  const UdpLocal three = server.receive().local;
  EXPECT_EQ(two.key().size(), 4U);
  EXPECT_NE(two.key(), three.key());
  EXPECT_TRUE(UdpLocal().key().empty()) << "the kernel did not say";
}

// Without the kernel's word the answer comes from the address of the route back.
TEST(UdpAddress, WithoutALocalAddressTheKernelChooses) {
  const Socket server("0.0.0.0"), client("127.0.0.1");
  send_from(server.fd(), UdpLocal{}, address_of("127.0.0.1", client.port()), "answer");
  const Datagram answer = client.receive();
  EXPECT_EQ(answer.bytes, "answer");
  EXPECT_EQ(answer.from.ip(), "127.0.0.1");
}

}  // namespace
}  // namespace weir::stream
