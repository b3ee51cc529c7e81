#include "dataplane/snapshot/session.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace weir::snapshot {
namespace {

// Bytes of one read, and reads before the loop's other duties get their turn.
constexpr std::size_t kRead = 64 * 1024;
constexpr int kReadsPerTurn = 64;
// Of one keys frame: far below the frame limit with the longest names Kubernetes allows.
constexpr std::size_t kKeysPerFrame = 1'000;

base::Error protocol_error(std::string text) {
  return base::Error{base::ErrorKind::kProtocol, base::Origin::kConfig, false, std::move(text)};
}

// Keeps an answer within one frame. A controller that drops what a nack names and sends the rest
// again meets the others then.
void cut(std::vector<wire::Reason>& reasons) {
  constexpr std::size_t kMostText = 2'000;
  constexpr std::size_t kMostAll = wire::kMaxPayload / 8;  // JSON escapes cost up to six times
  std::size_t all = 0;
  std::size_t count = 0;
  for (wire::Reason& reason : reasons) {
    reason.text.resize(std::min(reason.text.size(), kMostText));
    all += reason.text.size() + reason.name.size() + 64;
    if (all > kMostAll) break;
    ++count;
  }
  reasons.erase(reasons.begin() + static_cast<std::ptrdiff_t>(count), reasons.end());
}

}  // namespace

Session::Session(loop::Loop& loop, base::UniqueFd fd, std::uint64_t id, SessionTarget& target)
    : loop_(loop), fd_(std::move(fd)), id_(id), target_(target) {
  token_ = loop_.add(fd_.get(), *this, EPOLLIN | EPOLLRDHUP);
}

Session::~Session() { loop_.remove(token_); }

void Session::send_hello(const wire::Hello& hello) {
  send(wire::to_frame(wire::FrameType::kHello, hello));
}
void Session::send_ack(wire::Ack ack) {
  cut(ack.degraded);
  send(wire::to_frame(wire::FrameType::kAck, ack));
}
void Session::send_nack(wire::Nack nack) {
  cut(nack.reasons);
  send(wire::to_frame(wire::FrameType::kNack, nack));
}

void Session::supersede() {
  wire::Frame frame;
  frame.type = wire::FrameType::kSuperseded;
  frame.json = "{}";
  send(frame);
}

void Session::on_io(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if (!failed_ && (events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read_some();
  if (failed_) {
    const std::string reason = *failed_;
    target_.on_session_over(*this, reason);  // destroys this
  }
}

void Session::read_some() {
  const std::unique_ptr<char[]> buffer(new char[kRead]);
  for (int i = 0; i < kReadsPerTurn && !failed_; ++i) {
    const ssize_t got = ::recv(fd_.get(), buffer.get(), kRead, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) return end(base::system_error("control socket", errno).text);
    if (got == 0) return end("the controller closed the connection");
    reader_.add({buffer.get(), static_cast<std::size_t>(got)});
    while (!failed_) {
      auto frame = reader_.next();
      if (!frame.ok()) return end(frame.error().text);
      if (!frame.value().has_value()) break;
      const base::Result<void> taken = take(*std::move(frame).value());
      if (!taken.ok()) return end(taken.error().text);
    }
  }
}

base::Result<void> Session::take(wire::Frame frame) {
  switch (frame.type) {
    case wire::FrameType::kKeysWanted:
      return take_keys_wanted(frame);
    case wire::FrameType::kBegin:
      return take_begin(frame);
    case wire::FrameType::kUpsert:
      return take_upsert(std::move(frame));
    case wire::FrameType::kRemove:
      return take_remove(frame);
    case wire::FrameType::kCommit:
      return take_commit(frame);
    default:
      return protocol_error("frame type " + std::to_string(static_cast<unsigned>(frame.type)) +
                            " is not for a dataplane");
  }
}

base::Result<void> Session::take_keys_wanted(const wire::Frame& frame) {
  auto wanted = wire::from_frame<wire::KeysWanted>(frame);
  if (!wanted.ok()) return std::move(wanted).error().within("keys wanted");
  for (const model::ResourceType type : wanted.value().types) send_keys(type);
  return {};
}

base::Result<void> Session::take_begin(const wire::Frame& frame) {
  const auto begin = wire::from_frame<wire::Begin>(frame);
  if (!begin.ok()) return base::Error(begin.error()).within("begin");
  if (open_) return protocol_error("begin inside of a transaction");
  if (begin.value().version <= last_version_) {
    return protocol_error("begin: version " + std::to_string(begin.value().version) +
                          " does not follow " + std::to_string(last_version_));
  }
  last_version_ = begin.value().version;
  upserts_ = 0;
  open_.emplace();
  open_->version = begin.value().version;
  open_->full = begin.value().full;
  return {};
}

base::Result<void> Session::take_upsert(wire::Frame frame) {
  if (!open_) return protocol_error("upsert outside of a transaction");
  auto header = wire::from_frame<wire::Upsert>(frame);
  if (!header.ok()) return std::move(header).error().within("upsert");
  ++upserts_;
  auto resource = wire::read_upsert(std::move(frame));
  if (resource.ok()) {
    open_->upserts.push_back(std::move(resource).value());
  } else {
    // The frame was whole, so the stream goes on; the answer to the commit names the resource.
    open_->broken.push_back({header.value().type, header.value().name, resource.error().text});
  }
  return {};
}

base::Result<void> Session::take_remove(const wire::Frame& frame) {
  if (!open_) return protocol_error("remove outside of a transaction");
  auto remove = wire::from_frame<wire::Remove>(frame);
  if (!remove.ok()) return std::move(remove).error().within("remove");
  open_->removals.push_back({remove.value().type, std::move(remove.value().name)});
  return {};
}

base::Result<void> Session::take_commit(const wire::Frame& frame) {
  const auto commit = wire::from_frame<wire::Commit>(frame);
  if (!commit.ok()) return base::Error(commit.error()).within("commit");
  if (!open_) return protocol_error("commit outside of a transaction");
  const wire::Commit& said = commit.value();
  if (said.version != open_->version || said.upserts != upserts_ ||
      said.removals != open_->removals.size()) {
    return protocol_error("commit of version " + std::to_string(said.version) + " with " +
                          std::to_string(said.upserts) + " upserts and " +
                          std::to_string(said.removals) + " removals: " + std::to_string(upserts_) +
                          " and " + std::to_string(open_->removals.size()) + " came for version " +
                          std::to_string(open_->version));
  }
  Transaction whole = *std::move(open_);
  open_.reset();
  target_.on_transaction(*this, std::move(whole));
  return {};
}

void Session::send_keys(model::ResourceType type) {
  std::vector<wire::KeyHash> all = target_.keys(type);
  std::size_t at = 0;
  do {
    wire::Keys keys;
    keys.type = type;
    const std::size_t until = std::min(all.size(), at + kKeysPerFrame);
    for (; at < until; ++at) keys.keys.push_back(std::move(all[at]));
    keys.last = at == all.size();
    send(wire::to_frame(wire::FrameType::kKeys, keys));
  } while (at < all.size());
}

void Session::send(const wire::Frame& frame) {
  const base::Result<void> added = wire::append_frame(frame, out_);
  if (!added.ok()) return end(added.error().text);
  flush();
}

void Session::flush() {
  while (sent_ < out_.size() && !failed_) {
    const ssize_t put =
        ::send(fd_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) {
      sent_ += static_cast<std::size_t>(put);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      // A peer that is gone shows in the next read, too; a write from a callback must not destroy
      // the session under its caller.
      ::shutdown(fd_.get(), SHUT_RDWR);
      break;
    }
  }
  if (sent_ == out_.size()) {
    out_.clear();
    sent_ = 0;
  }
  const bool want = !out_.empty();
  if (want == want_write_) return;
  want_write_ = want;
  const std::uint32_t write_event = want ? static_cast<std::uint32_t>(EPOLLOUT) : 0U;
  loop_.modify(token_, EPOLLIN | EPOLLRDHUP | write_event);
}

// The shutdown brings an event when the end was found outside of one.
void Session::end(const std::string& reason) {
  failed_ = reason;
  ::shutdown(fd_.get(), SHUT_RDWR);
}

}  // namespace weir::snapshot
