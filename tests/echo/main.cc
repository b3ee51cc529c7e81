#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstdio>
#include <string>
#include <vector>

#include "common/base/flags.h"
#include "common/base/ip.h"
#include "tests/echo/connection.h"

namespace weir::echo {
namespace {

class Door final : public loop::IoHandler {
 public:
  Door(loop::Loop& loop, base::UniqueFd fd, const Settings& settings)
      : loop_(loop), fd_(std::move(fd)), settings_(settings) {
    loop_.add(fd_.get(), *this, EPOLLIN);
  }
  void on_io(std::uint32_t) override {
    for (int i = 0; i < 64; ++i) {
      base::UniqueFd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!peer.valid()) return;
      const int on = 1;
      ::setsockopt(peer.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      new Connection(loop_, std::move(peer), settings_);  // owns itself
    }
  }

 private:
  loop::Loop& loop_;
  base::UniqueFd fd_;
  const Settings& settings_;
};

base::Result<base::UniqueFd> listen(const std::string& address, std::uint16_t port) {
  const auto to = base::SocketAddress::parse(address, port);
  if (!to.ok()) return to.error();
  base::UniqueFd fd(::socket(to.value().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), to.value().data(), to.value().size()) != 0 ||
      ::listen(fd.get(), 1'024) != 0) {
    return base::system_error("listen " + to.value().to_string(), errno);
  }
  return fd;
}

// Prints "listening on PORT" when ready, so that a test may ask for port 0.
int run(const std::string& address, std::uint16_t port, const Settings& settings) {
  auto fd = listen(address, port);
  if (!fd.ok()) {
    std::fprintf(stderr, "weir-echo: %s\n", fd.error().text.c_str());
    return 1;
  }
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  ::getsockname(fd.value().get(), reinterpret_cast<sockaddr*>(&own), &size);
  const base::SocketAddress bound(reinterpret_cast<const sockaddr*>(&own));
  std::printf("listening on %u\n", static_cast<unsigned>(bound.port()));
  std::fflush(stdout);
  loop::Loop loop;
  Door door(loop, std::move(fd).value(), settings);
  loop.run();
  return 0;
}

}  // namespace
}  // namespace weir::echo

int main(int argc, char** argv) {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  int body_bytes = 0;
  weir::echo::Settings settings;
  weir::base::Flags flags("weir-echo", "A backend that says what it received.");
  flags.add("port", port, "port; 0: any, printed")
      .add("address", address, "IP address to listen on")
      .add("name", settings.name, "name in every answer")
      .add("body-bytes", body_bytes, "answer GET with a body of this size");
  const auto parsed = flags.parse({argv + 1, argv + argc});
  if (!parsed.ok()) {
    std::fprintf(stderr, "weir-echo: %s\n", parsed.error().text.c_str());
    return 2;
  }
  if (parsed.value() == weir::base::Flags::Outcome::kShownHelp) return 0;
  settings.body_bytes = body_bytes > 0 ? static_cast<std::size_t>(body_bytes) : 0;
  return weir::echo::run(address, port, settings);
}
