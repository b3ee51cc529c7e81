#include "dataplane/transport/sniff.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dataplane/transport/linger.h"

namespace weir::transport {
namespace {

constexpr std::uint32_t kGone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::size_t kSurelyProxy = 6;  // bytes after which no other protocol looks like it

// How many bytes from the start of the connection there must be before another look can help: to
// the end of the record that has begun, or of its header.
std::size_t hello_needs(std::string_view bytes) {
  std::size_t at = 0;
  while (at + kRecordHeader <= bytes.size()) {
    const auto high = static_cast<unsigned char>(bytes[at + 3]);
    const auto low = static_cast<unsigned char>(bytes[at + 4]);
    at += kRecordHeader + static_cast<std::size_t>(high << 8 | low);
  }
  return at > bytes.size() ? at : at + kRecordHeader;
}

}  // namespace

Sniffer::Sniffer(worker::Worker& worker, base::UniqueFd fd, const base::SocketAddress& peer,
                 const SniffNeeds& needs, SniffTarget& target)
    : worker_(worker),
      target_(target),
      needs_(needs),
      peer_(peer),
      timer_(worker.loop().timers(), *this) {
  result_.fd = std::move(fd);
  token_ = worker_.loop().add(result_.fd.get(), *this, EPOLLIN | EPOLLRDHUP);
  if (needs_.proxy == SniffNeeds::Proxy::kNone) {
    go_on_to_hello();
  } else {
    timer_.arm(worker_.loop().now() + needs_.proxy_deadline);
  }
}

Sniffer::~Sniffer() { let_go(); }

void Sniffer::let_go() {
  worker_.loop().remove(std::exchange(token_, {}));
  timer_.cancel();
}

void Sniffer::go_on_to_hello() {
  step_ = Step::kHello;
  timer_.cancel();
  timer_.arm(worker_.loop().now() + needs_.hello_deadline);
}

void Sniffer::on_io(std::uint32_t events) {
  const std::span<char> scratch = worker_.scratch();
  const std::size_t most = std::min(scratch.size(), kLongestProxyHeader + kMostHello);
  Look outcome = Look::kNext;
  while (outcome == Look::kNext) {
    const ssize_t got = recv(result_.fd.get(), scratch.data(), most, MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      refuse("closed before its first bytes were complete");
      return;
    }
    outcome = look({scratch.data(), static_cast<std::size_t>(got)});
  }
  if (outcome == Look::kWait && (events & kGone) != 0) {
    refuse("closed before its first bytes were complete");
  }
}

Sniffer::Look Sniffer::look(std::string_view bytes) {
  if (++looks_ > kMostLooks) return refuse("sent its first bytes in too many pieces");
  return step_ == Step::kProxy ? look_for_proxy(bytes) : look_for_hello(bytes);
}

Sniffer::Look Sniffer::look_for_proxy(std::string_view bytes) {
  if (needs_.proxy == SniffNeeds::Proxy::kRefused) {
    if (!begins_proxy_header(bytes)) return after_proxy();
    if (bytes.size() < kSurelyProxy) return wait_for(bytes.size() + 1);
    return refuse("sent a PROXY header, but it is no trusted source");
  }
  const ProxyRead read = read_proxy_header(bytes, result_.addresses);
  if (read.outcome == ProxyRead::Outcome::kInvalid) {
    return refuse("did not begin with a PROXY header, which this listener asks of trusted sources");
  }
  if (read.outcome == ProxyRead::Outcome::kIncomplete) return wait_for(read.size);
  recv(result_.fd.get(), worker_.scratch().data(), read.size, 0);
  return after_proxy();
}

Sniffer::Look Sniffer::after_proxy() {
  if (!needs_.hello) {
    finish();
    return Look::kOver;
  }
  wait_for(1);
  go_on_to_hello();
  return Look::kNext;
}

Sniffer::Look Sniffer::look_for_hello(std::string_view bytes) {
  switch (parse_client_hello(bytes, result_.hello)) {
    case HelloOutcome::kIncomplete:
      if (bytes.size() >= kMostHello) return refuse("sent a ClientHello of more than 20 KiB");
      return wait_for(hello_needs(bytes));
    case HelloOutcome::kInvalid:
      result_.hello = {};  // whoever comes next tells the client what is wrong with it
      break;
    case HelloOutcome::kDone:
      result_.is_tls = true;
      break;
  }
  finish();
  return Look::kOver;
}

Sniffer::Look Sniffer::wait_for(std::size_t bytes) {
  const int mark = static_cast<int>(std::min(bytes, kLongestProxyHeader + kMostHello));
  if (mark == low_mark_) return Look::kWait;
  low_mark_ = mark;
  setsockopt(result_.fd.get(), SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark);
  return Look::kWait;
}

Sniffer::Look Sniffer::refuse(std::string_view why) {
  let_go();
  result_.fd.reset();
  target_.on_sniff_failed({base::ErrorKind::kProtocol, base::Origin::kClient, false,
                           peer_.to_string() + " " + std::string(why)});
  return Look::kOver;
}

void Sniffer::finish() {
  wait_for(1);
  let_go();
  target_.on_sniffed(std::move(result_));
}

bool Sniffer::has_unread() const { return has_unread_bytes(result_.fd.get()); }

void Sniffer::on_timer() {
  let_go();
  result_.fd.reset();
  const char* what = step_ == Step::kProxy ? " sent no whole PROXY header in time"
                                           : " sent no whole ClientHello in time";
  target_.on_sniff_failed(
      {base::ErrorKind::kTimeout, base::Origin::kClient, false, peer_.to_string() + what});
}

}  // namespace weir::transport
