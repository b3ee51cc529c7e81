#include "controller/peers/ack_client.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/log.h"
#include "controller/peers/ack_line.h"

namespace weir::peers {

AckClient::AckClient(loop::Loop& loop, base::SocketAddress address, std::string name,
                     Context context, AckClientTarget& target, Timings timings)
    : loop_(loop),
      address_(address),
      key_(address.to_string()),
      name_(std::move(name)),
      context_(std::move(context)),
      target_(target),
      timings_(timings),
      jitter_(base::hash_bytes(key_)),
      pause_(timings.retry_first),
      dial_(loop.timers(), [this] { dial(); }),
      limit_(loop.timers(), [this] { lose(channel_->is_open() ? "says nothing" : "timed out"); }) {
  dial_.arm(loop_.clock().now());
}

AckClient::~AckClient() = default;

void AckClient::dial() {
  ended_.reset();
  std::shared_ptr<const TlsContext> context = context_();
  if (context == nullptr) return lose("no certificate to show yet");
  base::UniqueFd fd(
      ::socket(address_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd.valid()) return lose(std::strerror(errno));
  if (::connect(fd.get(), address_.data(), address_.size()) != 0 && errno != EINPROGRESS)
    return lose(std::strerror(errno));
  channel_ =
      std::make_unique<TlsChannel>(loop_, std::move(fd), std::move(context),
                                   TlsChannel::End::kClient, static_cast<ChannelTarget&>(*this));
  limit_.arm(loop_.now() + timings_.open);
}

void AckClient::on_open() {
  if (channel_ != nullptr) limit_.arm(loop_.now() + timings_.silence);  // else given up before
}

void AckClient::on_line(std::string_view line) {
  if (channel_ == nullptr) return;  // given up after an earlier line of the same turn
  auto acks = parse_line(line);
  if (!acks.ok()) return lose(acks.error().text);
  limit_.arm(loop_.now() + timings_.silence);
  pause_ = timings_.retry_first;
  if (!told_.empty()) base::log_info("a replica is heard again", {{"replica", name_}});
  told_.clear();
  target_.on_acks(key_, std::move(acks).value());
}

void AckClient::on_closed(const std::string& reason) {
  if (channel_ != nullptr) lose(reason);  // else given up before
}

void AckClient::lose(const std::string& reason) {
  limit_.cancel();
  ended_ = std::move(channel_);
  // A connection ends every hour by itself: the first time is nothing to tell.
  if (pause_ > timings_.retry_first && reason != told_) {
    base::log_warn("a ready replica does not say what it serves",
                   {{"replica", name_}, {"reason", reason}});
    told_ = reason;
  }
  dial_.arm(loop_.clock().now() + jitter_.between(pause_ * 4 / 5, pause_ * 6 / 5));
  pause_ = std::min(timings_.retry_most, pause_ * 2);
  target_.on_silence(key_);
}

}  // namespace weir::peers
