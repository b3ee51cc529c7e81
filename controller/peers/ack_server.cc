#include "controller/peers/ack_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "common/base/log.h"

namespace weir::peers {
namespace {

constexpr base::Duration kTick = std::chrono::seconds(1);
constexpr int kBacklog = 64;
constexpr unsigned kUserTimeoutMs = 15'000;  // a reader that vanished without a word

}  // namespace

class AckServer::Reader final : public ChannelTarget {
 public:
  Reader(AckServer& server, base::UniqueFd socket)
      : server_(server),
        opened_(server.loop_.now()),
        told_at_(opened_),
        channel_(server.loop_, std::move(socket), server.context_, TlsChannel::End::kServer,
                 *this) {}

  void tell() {
    if (!channel_.is_open() || !channel_.drained() || told_ == server_.version_) return;
    told_ = server_.version_;
    told_at_ = server_.loop_.now();
    channel_.send(server_.line_ + "\n");
  }
  void tick(base::TimePoint now) {
    const base::Duration most =
        channel_.is_open() ? server_.limits_.connection : server_.limits_.handshake;
    if (now - opened_ > most) return server_.drop(*this);
    if (now - told_at_ >= server_.limits_.sign_of_life) told_ = 0;
    tell();
  }

 private:
  void on_open() override { tell(); }
  void on_line(std::string_view) override {}
  void on_drained() override { tell(); }
  void on_closed(const std::string& reason) override {
    base::log_debug("a peer's connection ended", {{"reason", reason}});
    server_.drop(*this);
  }

  AckServer& server_;
  const base::TimePoint opened_;
  base::TimePoint told_at_;
  std::uint64_t told_ = 0;  // version of the last line sent
  TlsChannel channel_;
};

AckServer::AckServer(loop::Loop& loop, Limits limits)
    : loop_(loop),
      limits_(limits),
      handshakes_left_(limits.handshakes_a_second),
      tick_(loop.timers(), [this] { tick(); }) {}

AckServer::~AckServer() { loop_.remove(token_); }

base::Result<void> AckServer::listen(const base::SocketAddress& address) {
  base::UniqueFd fd(
      ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  const int on = 1;
  if (fd.valid()) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!fd.valid() || ::bind(fd.get(), address.data(), address.size()) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    const int why = errno;
    return base::system_error("peers port " + address.to_string(), why);
  }
  listener_ = std::move(fd);
  token_ = loop_.add(listener_.get(), *this, EPOLLIN);
  tick_.arm(loop_.clock().now() + kTick);
  return {};
}

std::uint16_t AckServer::port() const {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  return base::SocketAddress(reinterpret_cast<const sockaddr*>(&bound)).port();
}

void AckServer::set_line(std::string line) {
  if (line == line_) return;
  line_ = std::move(line);
  ++version_;
  for (std::size_t i = 0; i < readers_.size(); ++i) readers_[i]->tell();
}

void AckServer::on_io(std::uint32_t) {
  while (handshakes_left_ > 0 && readers_.size() < limits_.connections) {
    base::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid() && errno == EAGAIN) return;
    --handshakes_left_;
    if (!fd.valid() || context_ == nullptr) continue;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
    readers_.push_back(std::make_unique<Reader>(*this, std::move(fd)));
  }
  loop_.modify(token_, 0);  // the next tick looks again
}

void AckServer::tick() {
  tick_.arm(loop_.now() + kTick);
  gone_.clear();
  handshakes_left_ = limits_.handshakes_a_second;
  const base::TimePoint now = loop_.now();
  for (std::size_t i = readers_.size(); i-- > 0;) readers_[i]->tick(now);
  gone_.clear();
  if (readers_.size() < limits_.connections) loop_.modify(token_, EPOLLIN);
}

void AckServer::drop(Reader& reader) {
  const auto found = std::find_if(readers_.begin(), readers_.end(),
                                  [&reader](const auto& one) { return one.get() == &reader; });
  if (found == readers_.end()) return;
  gone_.push_back(std::move(*found));
  readers_.erase(found);
}

}  // namespace weir::peers
