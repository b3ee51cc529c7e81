#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/fd.h"
#include "common/base/result.h"
#include "common/crypto/certificate.h"
#include "common/loop/loop.h"

namespace weir::peers {

// The name that every replica's certificate has, and that every replica asks for.
inline constexpr const char* kPeerName = "replica.peers.weir.ingress";

// Who we are and whom we believe, on both ends alike: TLS 1.3 only, a certificate of a trusted
// authority with kPeerName is demanded of the other end, no resumption. Immutable; shared by the
// channels that were opened with it.
class TlsContext {
 public:
  // own: a chain and its key. trusted: PEM certificates of authorities. errors: kInvalid.
  static base::Result<std::shared_ptr<const TlsContext>> make(const crypto::PemPair& own,
                                                              const std::string& trusted);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsChannel;
  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What a channel tells. It must not be destroyed inside of any of these calls.
class ChannelTarget {
 public:
  virtual ~ChannelTarget() = default;
  virtual void on_open() = 0;                             // both ends are who they should be
  virtual void on_line(std::string_view line) = 0;        // without its end
  virtual void on_drained() {}                            // all that was to be sent has been
  virtual void on_closed(const std::string& reason) = 0;  // the last call
};

// Lines of text over TLS on a socket that does not block. Bounds: kMostLine bytes of a line to us,
// one text to send at a time. How long a handshake or a silence may last is the owner's business.
// One loop thread.
class TlsChannel final : private loop::IoHandler {
 public:
  static constexpr std::size_t kMostLine = 1024 * 1024;
  enum class End { kClient, kServer };

  // socket: connected, or on its way to be. target: borrowed. Nothing is called from in here.
  TlsChannel(loop::Loop& loop, base::UniqueFd socket, std::shared_ptr<const TlsContext> context,
             End end, ChannelTarget& target);
  ~TlsChannel() override;

  bool is_open() const { return state_ == State::kOpen; }
  bool drained() const { return out_sent_ == out_.size(); }
  void send(std::string text);  // only while open and drained

 private:
  enum class State { kHandshake, kOpen, kClosed };
  struct Session;

  void on_io(std::uint32_t events) override;
  void shake_hands();
  void read();
  bool take_lines();
  void write();
  // False when the operation has to wait or has ended the channel.
  bool check(int result, const char* what);
  void close(const std::string& reason);

  loop::Loop& loop_;
  base::UniqueFd socket_;
  std::shared_ptr<const TlsContext> context_;
  ChannelTarget& target_;
  std::unique_ptr<Session> session_;
  loop::IoToken token_;
  State state_ = State::kHandshake;
  std::string in_;
  std::string out_;
  std::size_t out_sent_ = 0;
};

}  // namespace weir::peers
