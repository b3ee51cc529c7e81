#include "dataplane/supervisor/listen_sockets.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/ip.h"

namespace weir::supervisor {
namespace {

base::SocketAddress name_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size), 0);
  return base::SocketAddress(reinterpret_cast<sockaddr*>(&storage));
}

int option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  EXPECT_EQ(getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

TEST(ListenSockets, SeveralSocketsShareOnePortAndAreKeptForTheNextAsker) {
  ListenSockets sockets;
  const model::Bind bind{"127.0.0.1", 0};
  const auto first = sockets.open(bind, 3);
  ASSERT_TRUE(first.ok()) << first.error().text;
  ASSERT_EQ(first.value().size(), 3U);
  for (const int fd : first.value()) {
    EXPECT_EQ(name_of(fd), name_of(first.value()[0]));
    EXPECT_EQ(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  }
  EXPECT_EQ(sockets.open(bind, 3).value(), first.value());
  EXPECT_EQ(sockets.open(bind, 5).value().size(), 5U);
  EXPECT_EQ(name_of(sockets.open(bind, 5).value()[4]), name_of(first.value()[0]));
  EXPECT_EQ(sockets.binds(), 1U);
  sockets.close(bind);
  EXPECT_EQ(sockets.binds(), 0U);
}

TEST(ListenSockets, APortInUseIsAClearErrorEvenWhenItsOwnerShares) {
  ListenSockets other;
  const int taken = other.open({"127.0.0.1", 0}, 1).value()[0];
  const std::uint16_t port = name_of(taken).port();
  ListenSockets sockets;
  const auto refused = sockets.open({"127.0.0.1", port}, 2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().text,
            "listen 127.0.0.1:" + std::to_string(port) + ": Address already in use");
  EXPECT_EQ(refused.error().kind, base::ErrorKind::kSystem);
  other.close({"127.0.0.1", 0});
  EXPECT_TRUE(sockets.open({"127.0.0.1", port}, 2).ok());
}

TEST(ListenSockets, BothFamiliesOfADualStackListenerFitOnOnePort) {
  std::string refused;
  // A connection of somebody else may have the port in one of the families: then the next one.
  for (int i = 0; i < 20; ++i) {
    ListenSockets sockets;
    const auto v6 = sockets.open({"::", 0}, 1);
    if (!v6.ok()) GTEST_SKIP() << "no IPv6 here: " << v6.error().text;
    const std::uint16_t port = name_of(v6.value()[0]).port();
    const auto v4 = sockets.open({"0.0.0.0", port}, 1);
    if (v4.ok()) return;
    refused = v4.error().text;
  }
  FAIL() << refused;
}

TEST(ListenSockets, NonsenseIsNamed) {
  ListenSockets sockets;
  EXPECT_NE(sockets.open({"nowhere", 80}, 1).error().text.find("'nowhere'"), std::string::npos);
  EXPECT_NE(sockets.open({"127.0.0.1", 0}, 0).error().text.find("1 to 253"), std::string::npos);
  EXPECT_NE(sockets.open({"127.0.0.1", 0}, 254).error().text.find("254"), std::string::npos);
}

TEST(ListenUnix, TheFileIsPrivateAndAStaleOneIsReplaced) {
  const std::string path = testing::TempDir() + "weir_listen_unix_" + std::to_string(getpid());
  {
    const auto first = listen_unix(path);
    ASSERT_TRUE(first.ok()) << first.error().text;
    struct stat facts{};
    ASSERT_EQ(stat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
    const auto second = listen_unix(path);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().text, "listen " + path + ": Address already in use");
  }
  EXPECT_TRUE(listen_unix(path).ok()) << "the first one's process is gone";
  unlink(path.c_str());
  EXPECT_FALSE(listen_unix(std::string(200, 'x')).ok());
  EXPECT_FALSE(listen_unix("/nonexistent/folder/socket").ok());
}

}  // namespace
}  // namespace weir::supervisor
