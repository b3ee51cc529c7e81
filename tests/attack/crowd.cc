#include "tests/attack/crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace weir::attack {
namespace {

void raise_file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

base::UniqueFd connect_to(std::uint16_t port, int receive_buffer, const std::string& source) {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  ::inet_pton(AF_INET, source.c_str(), &from.sin_addr);
  ::bind(fd.get(), reinterpret_cast<sockaddr*>(&from), sizeof from);
  if (receive_buffer > 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) fd.reset();
  return fd;
}

}  // namespace

Crowd::Crowd(std::uint16_t port, std::size_t count, Habit habit)
    : port_(port), habit_(std::move(habit)) {
  raise_file_limit();
  for (std::size_t i = 0; i < count; ++i) {
    Client client{connect_to(port, habit_.receive_buffer, habit_.from), Clock::now(), {}};
    if (!client.fd.valid()) continue;
    ++connected_;
    ++open_;
    const ssize_t put =
        ::send(client.fd.get(), habit_.opening.data(), habit_.opening.size(), MSG_NOSIGNAL);
    if (put > 0) sent_ += static_cast<std::uint64_t>(put);
    client.next_drip = client.start + habit_.every;
    clients_.push_back(std::move(client));
    if (i % 50 == 49) step(Millis(1));
  }
}

void Crowd::step(Millis time) {
  std::vector<pollfd> polls;
  std::vector<Client*> who;
  const Clock::time_point now = Clock::now();
  for (Client& client : clients_) {
    if (client.fd.valid() && !habit_.drip.empty() && now >= client.next_drip) drip(client, now);
    if (!client.fd.valid()) continue;
    const short wanted = habit_.reads ? POLLIN : POLLRDHUP;
    polls.push_back({client.fd.get(), wanted, 0});
    who.push_back(&client);
  }
  if (polls.empty()) return push::nap(time);
  ::poll(polls.data(), polls.size(), static_cast<int>(time.count()));
  for (std::size_t i = 0; i < polls.size(); ++i) {
    if (polls[i].revents != 0) read(*who[i], polls[i].revents);
  }
}

void Crowd::drip(Client& client, Clock::time_point now) {
  client.next_drip = now + habit_.every;
  const ssize_t put =
      ::send(client.fd.get(), habit_.drip.data(), habit_.drip.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (put > 0) sent_ += static_cast<std::uint64_t>(put);
}

void Crowd::read(Client& client, short events) {
  if (!habit_.reads) {
    if ((events & (POLLRDHUP | POLLHUP | POLLERR)) != 0) end(client);
    return;
  }
  char bytes[4'096];
  const ssize_t got = ::recv(client.fd.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN)) return end(client);
  if (got < 12 || client.answered) return;
  client.answered = true;
  if (std::memcmp(bytes, "HTTP/1.1 ", 9) == 0) ++statuses_[std::atoi(bytes + 9)];
}

void Crowd::end(Client& client) {
  client.fd.reset();
  --open_;
  const auto life = std::chrono::duration_cast<Millis>(Clock::now() - client.start);
  longest_ = std::max(longest_, life);
  if (!habit_.returns) return;
  client.fd = connect_to(port_, habit_.receive_buffer, habit_.from);
  client.start = Clock::now();
  client.answered = false;
  if (!client.fd.valid()) return;
  ++open_;
  ++returned_;
  ::send(client.fd.get(), habit_.opening.data(), habit_.opening.size(), MSG_NOSIGNAL);
}

void Crowd::leave() {
  for (Client& client : clients_) client.fd.reset();
  open_ = 0;
}

}  // namespace weir::attack
