#include "weirctl/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/fd.h"

namespace weir::weirctl {

base::Result<std::string> fetch_unix(const std::string& socket, const std::string& path) {
  const auto failed = [&socket](std::string_view what) {
    return base::Error{base::ErrorKind::kClosed, base::Origin::kConfig, false,
                       "dump socket " + socket + ": " + std::string(what)};
  };
  const base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return failed("path too long");
  std::memcpy(address.sun_path, socket.data(), socket.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed(std::strerror(errno));
  }
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return failed(std::strerror(errno));
  }
  std::string answer;
  std::array<char, 65536> buffer;
  for (ssize_t got; (got = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0;) {
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const std::size_t body = answer.find("\r\n\r\n");
  if (body == std::string::npos) return failed("no answer");
  if (answer.compare(0, 12, "HTTP/1.1 200") != 0)
    return failed(answer.substr(0, answer.find('\r')));
  return answer.substr(body + 4);
}

base::Result<base::Json> fetch_dump(const std::string& socket) {
  auto body = fetch_unix(socket, "/dump");
  if (!body.ok()) return std::move(body).error();
  return base::Json::parse(body.value());
}

}  // namespace weir::weirctl
