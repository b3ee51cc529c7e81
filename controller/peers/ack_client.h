#pragma once

#include <memory>
#include <string>

#include "common/base/ip.h"
#include "controller/kubernetes/backoff.h"
#include "controller/peers/ack_book.h"
#include "controller/peers/tls_channel.h"

namespace weir::peers {

// What one replica is heard to say.
class AckClientTarget {
 public:
  virtual ~AckClientTarget() = default;
  virtual void on_acks(const std::string& address, Acks acks) = 0;
  virtual void on_silence(const std::string& address) = 0;  // the connection was lost
};

// Keeps one connection to the peers port of one replica for as long as it lives. Dials again after
// 0.2 s, doubled up to 5 s, with a jitter; gives a connection 5 s to be there and a line 10 s to
// come. What is wrong is logged when it begins and when it is over. One loop thread.
class AckClient final : private ChannelTarget {
 public:
  struct Timings {
    std::chrono::milliseconds open{5'000};
    std::chrono::milliseconds silence{10'000};
    std::chrono::milliseconds retry_first{200};
    std::chrono::milliseconds retry_most{5'000};
  };
  // context: asked for at each dial; null: tried again later. target: borrowed; called from the
  // loop.
  using Context = base::UniqueFunction<std::shared_ptr<const TlsContext>()>;
  AckClient(loop::Loop& loop, base::SocketAddress address, std::string name, Context context,
            AckClientTarget& target, Timings timings);
  ~AckClient() override;

 private:
  void dial();
  void lose(const std::string& reason);
  void on_open() override;
  void on_line(std::string_view line) override;
  void on_closed(const std::string& reason) override;

  loop::Loop& loop_;
  const base::SocketAddress address_;
  const std::string key_;   // the address as text
  const std::string name_;  // for people
  Context context_;
  AckClientTarget& target_;
  const Timings timings_;
  kubernetes::Jitter jitter_;
  std::chrono::milliseconds pause_;
  std::unique_ptr<TlsChannel> channel_;
  std::unique_ptr<TlsChannel> ended_;  // may be on the call stack
  loop::Timer dial_;
  loop::Timer limit_;  // of the connection's making, or of a silence
  std::string told_;   // what is wrong, already in the log
};

}  // namespace weir::peers
