#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/fd.h"
#include "common/loop/loop.h"
#include "common/wire/messages.h"
#include "dataplane/snapshot/state.h"

namespace weir::snapshot {

class Session;

// What a session needs of the rest of the room.
class SessionTarget {
 public:
  virtual ~SessionTarget() = default;
  virtual std::vector<wire::KeyHash> keys(model::ResourceType type) = 0;
  // A whole transaction has come. The answer goes back by Session::answer, if the session still
  // lives then.
  virtual void on_transaction(Session& session, Transaction transaction) = 0;
  // The connection is over; the target destroys the session before it returns.
  virtual void on_session_over(Session& session, const std::string& reason) = 0;
};

// One connection of a controller. A frame that is cut, damaged, too long or
// out of place ends this session and nothing else: what had come of its transaction is forgotten.
// One thread.
class Session final : public loop::IoHandler {
 public:
  // loop, target: borrowed for the session's life. fd: connected, non-blocking.
  Session(loop::Loop& loop, base::UniqueFd fd, std::uint64_t id, SessionTarget& target);
  ~Session() override;

  std::uint64_t id() const { return id_; }
  void send_hello(const wire::Hello& hello);
  // Reasons beyond what fits one frame are left out.
  void send_ack(wire::Ack ack);
  void send_nack(wire::Nack nack);
  // Tells the controller that a newer one took over, as far as the socket takes it now. Then the
  // owner destroys the session.
  void supersede();

  void on_io(std::uint32_t events) override;

 private:
  void read_some();
  base::Result<void> take(wire::Frame frame);
  base::Result<void> take_keys_wanted(const wire::Frame& frame);
  base::Result<void> take_begin(const wire::Frame& frame);
  base::Result<void> take_upsert(wire::Frame frame);
  base::Result<void> take_remove(const wire::Frame& frame);
  base::Result<void> take_commit(const wire::Frame& frame);
  void send(const wire::Frame& frame);
  void send_keys(model::ResourceType type);
  void flush();
  void end(const std::string& reason);

  loop::Loop& loop_;
  base::UniqueFd fd_;
  const std::uint64_t id_;
  SessionTarget& target_;
  loop::IoToken token_;
  wire::FrameReader reader_;
  std::string out_;
  std::size_t sent_ = 0;  // bytes of out_ that the kernel has taken
  bool want_write_ = false;
  std::uint64_t last_version_ = 0;
  std::optional<Transaction> open_;    // between begin and commit
  std::uint32_t upserts_ = 0;          // frames of the open transaction
  std::optional<std::string> failed_;  // ends the session when the current call unwinds
};

}  // namespace weir::snapshot
