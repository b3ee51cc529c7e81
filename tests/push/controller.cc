#include "tests/push/controller.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace weir::push {
namespace {

base::UniqueFd dial(const std::string& path) {
  base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

}  // namespace

std::string Verdict::why(model::ResourceType type, const std::string& name) const {
  std::string out;
  for (const wire::Reason& reason : reasons) {
    if (reason.type == type && reason.name == name) out += reason.text + "\n";
  }
  return out;
}

std::string Verdict::to_string() const {
  std::string out = !answered ? "no answer" : applied ? "ack" : "nack";
  for (const wire::Reason& reason : reasons) {
    out += "\n  " + model::ResourceKey{reason.type, reason.name}.to_string() + ": " + reason.text;
  }
  return out;
}

Controller::Controller(const std::string& socket) {
  eventually([&] { return (fd_ = dial(socket)).valid(); });
  const auto first = read();
  auto hello = first && first->type == wire::FrameType::kHello
                   ? wire::from_frame<wire::Hello>(*first)
                   : base::Result<wire::Hello>(base::invalid("no hello"));
  if (!hello.ok()) {
    fd_.reset();
    return;
  }
  hello_ = std::move(hello).value();
  version_ = hello_.applied;
}

void Controller::send(const wire::Frame& frame) {
  std::string out;
  if (wire::append_frame(frame, out).ok()) send_bytes(out);
}

void Controller::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0 && errno != EINTR) return;
    if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::optional<wire::Frame> Controller::read(Millis most) {
  const Clock::time_point until = Clock::now() + most;
  while (fd_.valid()) {
    auto frame = reader_.next();
    if (!frame.ok()) return std::nullopt;
    if (frame.value()) return std::move(frame).value();
    pollfd waiting{fd_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, millis_until(until)) <= 0) return std::nullopt;
    char buffer[16'384];
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    over_ = got == 0 || (got < 0 && errno != EINTR);
    if (over_) return std::nullopt;
    if (got > 0) reader_.add({buffer, static_cast<std::size_t>(got)});
  }
  return std::nullopt;
}

bool Controller::ends(Millis most) {
  const Clock::time_point until = Clock::now() + most;
  while (!over_ && fd_.valid() && read(Millis(millis_until(until)))) {
  }
  return over_;
}

Verdict Controller::push(const std::vector<model::ResourcePtr>& upserts,
                         const std::vector<model::ResourceKey>& removals, bool full) {
  ++version_;
  send(wire::to_frame(wire::FrameType::kBegin, wire::Begin{version_, full}));
  for (const model::ResourcePtr& resource : upserts) send(wire::upsert_frame(*resource));
  for (const model::ResourceKey& key : removals) {
    send(wire::to_frame(wire::FrameType::kRemove, wire::Remove{key.type, key.name}));
  }
  send(wire::to_frame(wire::FrameType::kCommit,
                      wire::Commit{version_, static_cast<std::uint32_t>(upserts.size()),
                                   static_cast<std::uint32_t>(removals.size())}));
  Verdict out;
  const auto frame = read();
  if (!frame) return out;
  if (frame->type == wire::FrameType::kAck) {
    auto ack = wire::from_frame<wire::Ack>(*frame);
    out.answered = ack.ok() && ack.value().version == version_;
    out.applied = true;
    if (out.answered) out.reasons = std::move(ack).value().degraded;
  } else if (frame->type == wire::FrameType::kNack) {
    auto nack = wire::from_frame<wire::Nack>(*frame);
    out.answered = nack.ok() && nack.value().version == version_;
    if (out.answered) out.reasons = std::move(nack).value().reasons;
  }
  return out;
}

std::vector<wire::KeyHash> Controller::keys(model::ResourceType type) {
  send(wire::to_frame(wire::FrameType::kKeysWanted, wire::KeysWanted{{type}}));
  std::vector<wire::KeyHash> out;
  while (const auto frame = read()) {
    auto keys = wire::from_frame<wire::Keys>(*frame);
    if (!keys.ok()) break;
    out.insert(out.end(), keys.value().keys.begin(), keys.value().keys.end());
    if (keys.value().last) break;
  }
  return out;
}

}  // namespace weir::push
