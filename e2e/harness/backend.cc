#include "e2e/harness/backend.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <map>

namespace weir::e2e {
namespace {

base::UniqueFd listen_on(const std::string& address, std::uint16_t port) {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0) << address;
  EXPECT_EQ(::listen(fd.get(), 1'024), 0);
  return fd;
}

}  // namespace

Backend::Backend(std::string name, std::string address)
    : name_(std::move(name)), address_(std::move(address)), listener_(listen_on(address_, kPort)) {
  thread_ = std::thread([this] { run(); });
}

Backend::~Backend() {
  stop_ = true;
  thread_.join();
}

// All connections in one thread; requests are short and have no body.
void Backend::run() {
  std::map<int, std::pair<base::UniqueFd, std::string>> open;
  while (!stop_) {
    std::vector<pollfd> fds = {{listener_.get(), POLLIN, 0}};
    for (const auto& [fd, connection] : open) fds.push_back({fd, POLLIN, 0});
    if (::poll(fds.data(), fds.size(), 20) <= 0) continue;
    if (fds[0].revents != 0) {
      base::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      const int number = fd.get();
      if (number >= 0) open[number] = {std::move(fd), ""};
    }
    for (std::size_t i = 1; i < fds.size(); ++i) {
      if (fds[i].revents != 0 && !serve(fds[i].fd, open[fds[i].fd].second)) open.erase(fds[i].fd);
    }
  }
}

// False when the connection is over.
bool Backend::serve(int fd, std::string& in) {
  char chunk[16'384];
  const ssize_t got = ::recv(fd, chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  in.append(chunk, static_cast<std::size_t>(got));
  for (std::size_t end; (end = in.find("\r\n\r\n")) != std::string::npos;) {
    const std::string body = in.substr(0, end + 2);
    in.erase(0, end + 4);
    ++served_;
    const std::string out = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Backend: " + name_ +
                            "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                            body;
    if (::send(fd, out.data(), out.size(), MSG_NOSIGNAL) < 0) return false;
  }
  return true;
}

}  // namespace weir::e2e
