#include "dataplane/listener/acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/log.h"
#include "common/base/text.h"
#include "dataplane/listener/connection.h"
#include "dataplane/listener/entrance.h"
#include "dataplane/listener/gate.h"
#include "dataplane/listener/shed.h"
#include "dataplane/stream/udp_proxy.h"

namespace weir::listener {
namespace {

constexpr int kAcceptsPerEvent = 16;
constexpr int kMostBacklog = 65'536;
constexpr auto kExhaustedPause = std::chrono::milliseconds(100);
constexpr auto kCrowdedPause = std::chrono::milliseconds(20);  // until who is new may have to go
constexpr auto kLogPause = std::chrono::seconds(1);
constexpr rlim_t kFdsForOthers = 64;  // logs, sockets of our own

constexpr std::string_view kPlainHttpAnswer =
    "HTTP/1.1 400 Bad Request\r\n"
    "Server: weir\r\n"
    "Connection: close\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 42\r\n"
    "\r\n"
    "400 plain HTTP request sent to HTTPS port\n";

// Two descriptors a connection: the client's and the upstream's.
std::uint32_t connections_by_fd_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
  const rlim_t usable = limit.rlim_cur > kFdsForOthers ? limit.rlim_cur - kFdsForOthers : 2;
  return static_cast<std::uint32_t>(std::min<rlim_t>(usable / 2, 10'000'000));
}

base::UniqueFd reserve_fd() { return base::UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  return getsockname(fd, address, &size) == 0 ? base::SocketAddress(address).port()
                                              : std::uint16_t{0};
}

class WorkerAcceptors;

// One listening socket.
struct Door final : public loop::IoHandler {
  Door(WorkerAcceptors& owner, std::string name, base::UniqueFd socket, std::shared_ptr<Gate> way)
      : acceptors(owner), bind(std::move(name)), fd(std::move(socket)), gate(std::move(way)) {}
  void on_io(std::uint32_t) override;

  WorkerAcceptors& acceptors;
  const std::string bind;
  const base::UniqueFd fd;
  const std::shared_ptr<Gate> gate;
  loop::IoToken token;
};

bool somebody_waits(int listening_fd) {
  pollfd backlog{listening_fd, POLLIN, 0};
  return poll(&backlog, 1, 0) > 0;
}

bool is_datagram(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

class WorkerAcceptors final : public Acceptors, public loop::TimerTarget {
 public:
  WorkerAcceptors(exchange::ExchangeContext& context, shared::ConnectionCaps& caps,
                  base::Duration drain_bound)
      : home_{context, caps, context.live->limits},
        tls_(context.worker, kPlainHttpAnswer),
        streams_(context, caps),
        entrance_(home_, tls_, streams_),
        drain_bound_(drain_bound),
        resume_(context.worker.loop().timers(), *this),
        reserve_(reserve_fd()),
        fd_cap_(connections_by_fd_limit()) {}
  ~WorkerAcceptors() override {
    close_all();
    for (const auto& door : doors_) home_.context.worker.loop().remove(door->token);
  }

  void add(const std::string& listener, const std::string& bind, base::UniqueFd socket) override;
  void remove(const std::string& listener, const std::string& bind) override;
  void start_drain() override { home_.draining = true; }
  void stop_accepting() override;
  std::size_t connections() const override {
    return home_.count + streams_.count + entrance_.waiting();
  }
  std::uint64_t refused() const override { return refused_ + entrance_.refused(); }
  void shed() override;
  void trim() override { tls_.trim(); }
  void close_all() override;

  // Takes at most this many connections. Full, it makes room first, or rests for a moment.
  void accept_from(Door& door, int most);
  int accepts_per_event(const Door& door) const;
  void on_timer() override { watch_doors(EPOLLIN); }
  bool resting() const { return resume_.armed(); }

 private:
  void admit(Door& door, base::UniqueFd fd, const base::SocketAddress& peer);
  std::uint32_t most_connections() const;
  bool has_room(const base::SocketAddress& peer, bool relayed);
  Shed make_room(const char* why);
  bool is_full() const;
  bool is_crowded(const Door& door);
  void exhausted(Door& door, int errno_value);
  void rest(base::Duration pause);
  void watch_doors(std::uint32_t events);
  void close_door(Door& door);

  ConnectionHome home_;
  transport::TlsServer tls_;
  stream::StreamHome streams_;
  Entrance entrance_;
  const base::Duration drain_bound_;
  loop::Timer resume_;
  base::UniqueFd reserve_;  // given up to tell one client "no" when descriptors run out
  const std::uint32_t fd_cap_;
  std::uint64_t refused_ = 0;
  base::TimePoint next_shed_{};
  base::TimePoint next_log_{};
  std::vector<std::unique_ptr<Door>> doors_;
  struct UdpDoor {
    std::string listener;
    std::string bind;
    std::unique_ptr<stream::UdpProxy> proxy;
  };
  std::vector<UdpDoor> udp_doors_;
};

void Door::on_io(std::uint32_t) {
  if (acceptors.resting()) return;
  acceptors.accept_from(*this, acceptors.accepts_per_event(*this));
}

int WorkerAcceptors::accepts_per_event(const Door& door) const {
  const auto served = door.gate->served();
  const bool handshakes = served != nullptr && served->tls;
  return handshakes ? std::min(kAcceptsPerEvent, tls_.room_for_newcomers()) : kAcceptsPerEvent;
}

void WorkerAcceptors::add(const std::string& listener, const std::string& bind,
                          base::UniqueFd socket) {
  if (is_datagram(socket.get())) {
    udp_doors_.push_back({listener, bind,
                          std::make_unique<stream::UdpProxy>(home_.context, streams_.choice,
                                                             listener, std::move(socket))});
    return;
  }
  auto gate = std::make_shared<Gate>(home_.context.live, listener, port_of(socket.get()));
  doors_.push_back(std::make_unique<Door>(*this, bind, std::move(socket), std::move(gate)));
  Door& door = *doors_.back();
  door.token = home_.context.worker.loop().add(door.fd.get(), door, resume_.armed() ? 0U : EPOLLIN);
}

void WorkerAcceptors::remove(const std::string& listener, const std::string& bind) {
  std::erase_if(udp_doors_, [&](const UdpDoor& door) {
    return door.listener == listener && door.bind == bind;
  });
  const auto found = std::find_if(doors_.begin(), doors_.end(), [&](const auto& door) {
    return door->gate->listener() == listener && door->bind == bind;
  });
  if (found == doors_.end()) return;
  (*found)->gate->start_drain();
  close_door(**found);
  const base::TimePoint latest = home_.context.worker.loop().now() + drain_bound_;
  for (stream::TcpProxy* at = streams_.first; at != nullptr; at = at->next()) {
    if (at->gate() == (*found)->gate.get()) at->end_by(latest);
  }
  doors_.erase(found);
}

void WorkerAcceptors::close_door(Door& door) {
  // Who is in the backlog has connected: the kernel would reset them.
  accept_from(door, kMostBacklog);
  home_.context.worker.loop().remove(door.token);
}

void WorkerAcceptors::stop_accepting() {
  home_.draining = true;
  for (const auto& door : doors_) close_door(*door);
  doors_.clear();
  // Datagrams of known flows still pass until the process ends.
  for (const UdpDoor& door : udp_doors_) door.proxy->start_drain();
  for (Connection* at = home_.first; at != nullptr;) {
    Connection* const next = at->next();
    at->close_if_idle();
    at = next;
  }
}

void WorkerAcceptors::close_all() {
  entrance_.close_all();
  udp_doors_.clear();
  while (streams_.first != nullptr) streams_.first->close("the dataplane ends");
  while (home_.first != nullptr) home_.first->close("the dataplane ends");
}

void WorkerAcceptors::shed() {
  base::PressureGauge& pressure = home_.context.worker.budget().process().pressure();
  pressure.count(base::PressureAction::kClosedWaiting, make_room("memory is short").closed);
}

Shed WorkerAcceptors::make_room(const char* why) {
  std::vector<Waiter*> waiters;
  waiters.reserve(home_.count + entrance_.waiting());
  for (Connection* at = home_.first; at != nullptr; at = at->next()) waiters.push_back(at);
  entrance_.add_waiters(waiters);
  const base::TimePoint now = home_.context.worker.loop().now();
  return shed_waiting(waiters, shed_batch(waiters.size()), now, why);
}

void WorkerAcceptors::accept_from(Door& door, int most) {
  for (int i = 0; i < most; ++i) {
    if (is_full() && somebody_waits(door.fd.get()) && is_crowded(door)) {
      return rest(next_shed_ - home_.context.worker.loop().now());
    }
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    base::UniqueFd fd(accept4(door.fd.get(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      admit(door, std::move(fd), base::SocketAddress(address));
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno != EAGAIN) exhausted(door, errno);
    return;
  }
}

std::uint32_t WorkerAcceptors::most_connections() const {
  const std::uint32_t most = home_.context.live->settings.max_connections;
  return most != 0 ? most : fd_cap_;
}

bool WorkerAcceptors::is_full() const {
  const std::uint32_t most = most_connections();
  return most != 0 && home_.caps.total() >= most;
}

// Somebody makes room for who comes.
//   returns: nobody could yet, and somebody can in a moment. Who comes waits for it in the backlog,
//   so that what it has sent is not lost; a door that closes has no time for that.
bool WorkerAcceptors::is_crowded(const Door& door) {
  const base::TimePoint now = home_.context.worker.loop().now();
  if (now < next_shed_) return false;
  const Shed shed = make_room("connections ran out");
  if (shed.closed > 0) return false;
  // Looking costs a connection some nanoseconds.
  next_shed_ =
      now + kCrowdedPause + std::chrono::nanoseconds(500 * static_cast<std::int64_t>(home_.count));
  return shed.soon && !home_.draining && !door.gate->draining();
}

// Counts the connection.
bool WorkerAcceptors::has_room(const base::SocketAddress& peer, bool relayed) {
  using Entry = shared::ConnectionCaps::Entry;
  const std::uint32_t same = relayed ? 0 : home_.context.live->settings.connections_per_address;
  const std::uint32_t most = most_connections();
  Entry entry = home_.caps.enter(peer, most, same);
  // Another worker took the place that was free.
  if (entry == Entry::kFull && home_.context.worker.loop().now() >= next_shed_ &&
      make_room("connections ran out").closed > 0) {
    entry = home_.caps.enter(peer, most, same);
  }
  return entry == Entry::kCounted;
}

void WorkerAcceptors::admit(Door& door, base::UniqueFd fd, const base::SocketAddress& peer) {
  auto served = door.gate->served();
  // Behind a relay it is the client's own address that counts, once it is known.
  const bool relayed = served != nullptr && served->proxy_protocol &&
                       home_.context.live->proxy_sources.contains(peer);
  const bool often = !relayed && comes_too_often(home_.context, peer);
  if (served == nullptr || often || !has_room(peer, relayed)) {
    ++refused_;
    return;
  }
  const exchange::Snapshot& live = *home_.context.live;
  home_.limits = live.limits;
  entrance_.admit({door.gate, std::move(served), std::move(fd), peer, {}, {}});
}

// Out of descriptors or memory: the listening socket stays readable. Who waits goes for who comes;
// with none to close the loop would spin.
void WorkerAcceptors::exhausted(Door& door, int errno_value) {
  const base::TimePoint now = home_.context.worker.loop().now();
  if (now >= next_log_) {
    base::log_warn("cannot accept connections",
                   {{"listener", door.gate->listener()},
                    {"reason", base::system_error("accept", errno_value).text},
                    {"connections", home_.count}});
    next_log_ = now + kLogPause;
  }
  const Shed shed = make_room("descriptors ran out");
  if (shed.closed > 0) return;
  if (shed.soon) return rest(kCrowdedPause);
  if (errno_value == EMFILE || errno_value == ENFILE) {
    reserve_.reset();
    base::UniqueFd(accept4(door.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
    reserve_ = reserve_fd();
    ++refused_;
  }
  rest(kExhaustedPause);
}

void WorkerAcceptors::rest(base::Duration pause) {
  watch_doors(0);
  resume_.arm(home_.context.worker.loop().now() + pause);
}

void WorkerAcceptors::watch_doors(std::uint32_t events) {
  for (const auto& door : doors_) home_.context.worker.loop().modify(door->token, events);
}

}  // namespace

std::unique_ptr<Acceptors> make_acceptors(exchange::ExchangeContext& context,
                                          shared::ConnectionCaps& caps,
                                          base::Duration drain_bound) {
  return std::make_unique<WorkerAcceptors>(context, caps, drain_bound);
}

}  // namespace weir::listener
