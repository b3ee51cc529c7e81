#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>

#include "dataplane/snapshot/session.h"

namespace weir::snapshot {

// How a transaction ended.
struct Answer {
  bool applied = false;
  wire::Ack ack;
  wire::Nack nack;
};

// What the receiver asks of the configuration.
class ReceiverTarget {
 public:
  virtual ~ReceiverTarget() = default;
  virtual wire::Hello hello() const = 0;
  virtual std::vector<wire::KeyHash> keys(model::ResourceType type) const = 0;
  // Answers once, now or later, on the loop's thread.
  virtual void apply(Transaction transaction, base::UniqueFunction<void(Answer)> answer) = 0;
};

// Accepts controllers on the control socket. The newest one is authoritative: the one before it is
// told so and closed. Peers of another user are closed unheard. One thread.
class Receiver final : public loop::IoHandler, public SessionTarget {
 public:
  // socket: listening, non-blocking. allowed_uid: a user beside root and our own. loop, target:
  // borrowed for the receiver's life.
  Receiver(loop::Loop& loop, base::UniqueFd socket, ReceiverTarget& target,
           std::optional<uid_t> allowed_uid = std::nullopt);
  ~Receiver() override;

  void on_io(std::uint32_t events) override;
  // Takes a connected socket as if it had been accepted.
  void take(base::UniqueFd peer);
  bool connected() const { return session_ != nullptr; }
  std::uint64_t sessions() const { return last_id_; }  // ever

 private:
  std::vector<wire::KeyHash> keys(model::ResourceType type) override;
  void on_transaction(Session& session, Transaction transaction) override;
  void on_session_over(Session& session, const std::string& reason) override;
  void answer(std::uint64_t session, const Answer& answer);
  bool allowed(int fd) const;

  loop::Loop& loop_;
  base::UniqueFd socket_;
  ReceiverTarget& target_;
  const std::optional<uid_t> allowed_uid_;
  loop::IoToken token_;
  std::uint64_t last_id_ = 0;
  std::unique_ptr<Session> session_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers may outlive the receiver
};

}  // namespace weir::snapshot
