#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/ip.h"
#include "controller/peers/tls_channel.h"

namespace weir::peers {

// Tells every replica that connects, and shows its certificate, what this one's dataplane has
// acknowledged: the newest line at once, again when it changes, and every two seconds as a sign of
// life. Nothing is taken from them, and no secret is among it.
//
// Bounds: 32 connections, 20 handshakes a second (what comes on top waits in the kernel, or is
// refused there), 5 s for a handshake, an hour for a connection, so that certificates are looked at
// again. A reader that does not read costs one line. One loop thread.
class AckServer final : private loop::IoHandler {
 public:
  struct Limits {
    std::size_t connections = 32;
    int handshakes_a_second = 20;
    base::Duration handshake = std::chrono::seconds(5);
    base::Duration connection = std::chrono::hours(1);
    base::Duration sign_of_life = std::chrono::seconds(2);
  };
  explicit AckServer(loop::Loop& loop) : AckServer(loop, Limits{}) {}
  AckServer(loop::Loop& loop, Limits limits);
  ~AckServer() override;

  // errors: kSystem naming the address.
  base::Result<void> listen(const base::SocketAddress& address);
  std::uint16_t port() const;
  // For connections from now on; null: nobody is let in.
  void set_context(std::shared_ptr<const TlsContext> context) { context_ = std::move(context); }
  void set_line(std::string line);
  std::size_t connections() const { return readers_.size(); }

 private:
  class Reader;

  void on_io(std::uint32_t events) override;
  void tick();
  void drop(Reader& reader);

  loop::Loop& loop_;
  const Limits limits_;
  base::UniqueFd listener_;
  loop::IoToken token_;
  std::shared_ptr<const TlsContext> context_;
  std::string line_;
  std::uint64_t version_ = 0;  // of line_
  int handshakes_left_;        // in this second
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<std::unique_ptr<Reader>> gone_;  // may be on the call stack
  loop::Timer tick_;
};

}  // namespace weir::peers
