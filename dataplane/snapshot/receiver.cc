#include "dataplane/snapshot/receiver.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/log.h"

namespace weir::snapshot {
namespace {

constexpr int kAcceptsPerTurn = 16;

}  // namespace

Receiver::Receiver(loop::Loop& loop, base::UniqueFd socket, ReceiverTarget& target,
                   std::optional<uid_t> allowed_uid)
    : loop_(loop), socket_(std::move(socket)), target_(target), allowed_uid_(allowed_uid) {
  if (socket_.valid()) token_ = loop_.add(socket_.get(), *this, EPOLLIN);
}

Receiver::~Receiver() {
  *alive_ = false;
  loop_.remove(token_);
}

void Receiver::on_io(std::uint32_t) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    base::UniqueFd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!peer.valid()) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        base::log_error("control socket: accept failed",
                        {{"reason", base::system_error("accept", errno).text}});
      }
      return;
    }
    take(std::move(peer));
  }
}

bool Receiver::allowed(int fd) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == 0 || peer.uid == ::geteuid() || peer.uid == allowed_uid_) return true;
  base::log_warn("control socket: peer refused", {{"uid", peer.uid}, {"pid", peer.pid}});
  return false;
}

void Receiver::take(base::UniqueFd peer) {
  if (!allowed(peer.get())) return;
  if (session_ != nullptr) {
    base::log_info("controller superseded by a newer one", {{"session", session_->id()}});
    session_->supersede();
  }
  session_ = std::make_unique<Session>(loop_, std::move(peer), ++last_id_, *this);
  base::log_info("controller connected", {{"session", last_id_}});
  session_->send_hello(target_.hello());
}

std::vector<wire::KeyHash> Receiver::keys(model::ResourceType type) { return target_.keys(type); }

void Receiver::on_transaction(Session& session, Transaction transaction) {
  target_.apply(std::move(transaction),
                [this, alive = alive_, id = session.id()](const Answer& how) {
                  if (*alive) answer(id, how);
                });
}

void Receiver::answer(std::uint64_t session, const Answer& how) {
  if (session_ == nullptr || session_->id() != session) return;
  if (how.applied) {
    session_->send_ack(how.ack);
  } else {
    session_->send_nack(how.nack);
  }
}

void Receiver::on_session_over(Session& session, const std::string& reason) {
  base::log_info("controller gone", {{"session", session.id()}, {"reason", reason}});
  if (session_.get() == &session) session_.reset();
}

}  // namespace weir::snapshot
