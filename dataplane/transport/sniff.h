#pragma once

#include <memory>

#include "common/base/fd.h"
#include "common/base/result.h"
#include "dataplane/transport/client_hello.h"
#include "dataplane/transport/proxy_protocol.h"
#include "dataplane/worker/worker.h"

namespace weir::transport {

// What is to be learned of a connection before its transport is made.
struct SniffNeeds {
  enum class Proxy : std::uint8_t {
    kNone,
    kRequired,  // the connection begins with a PROXY header, else it is refused
    kRefused    // the source must not send one
  };
  Proxy proxy = Proxy::kNone;
  bool hello = false;  // the server name of a TLS ClientHello
  base::Duration proxy_deadline{};
  base::Duration hello_deadline{};
  bool any() const { return proxy != Proxy::kNone || hello; }
};

struct Sniffed {
  base::UniqueFd fd;
  ProxyAddresses addresses;  // of the PROXY header
  ClientHello hello;         // empty when what comes is no ClientHello
  bool is_tls = false;
};

class SniffTarget {
 public:
  virtual ~SniffTarget() = default;
  // The sniffer may be destroyed in either.
  virtual void on_sniffed(Sniffed sniffed) = 0;
  // Refused, too slow, or gone; the socket is closed.
  virtual void on_sniff_failed(const base::Error& error) = 0;
};

// The one step before TLS on an accepted connection. A PROXY header is taken off the socket to its
// last byte and no further; a ClientHello is only looked at, so that whoever comes next, TLS or a
// backend, reads it from the socket as if nobody had been there. Bounded: kLongestProxyHeader,
// kMostHello bytes, kMostLooks looks, and a deadline for each of the two. Buffers nothing. One
// worker's thread.
class Sniffer final : public loop::IoHandler, public loop::TimerTarget {
 public:
  // Larger ClientHellos than any client sends; more would let a client make us look at many bytes
  // many times.
  static constexpr std::size_t kMostHello = 20 * 1024;
  static constexpr int kMostLooks = 1'024;

  // worker, target: borrowed. Nothing is called before this returns.
  Sniffer(worker::Worker& worker, base::UniqueFd fd, const base::SocketAddress& peer,
          const SniffNeeds& needs, SniffTarget& target);
  ~Sniffer() override;
  Sniffer(const Sniffer&) = delete;
  Sniffer& operator=(const Sniffer&) = delete;

  bool has_seen_bytes() const { return looks_ > 0; }
  // Whether bytes of the client are there, seen or not. A system call.
  bool has_unread() const;

  void on_io(std::uint32_t events) override;
  void on_timer() override;

 private:
  enum class Step : std::uint8_t { kProxy, kHello };
  enum class Look : std::uint8_t { kNext, kWait, kOver };

  Look look(std::string_view bytes);
  Look look_for_proxy(std::string_view bytes);
  Look after_proxy();
  Look look_for_hello(std::string_view bytes);
  Look wait_for(std::size_t bytes);
  Look refuse(std::string_view why);
  void go_on_to_hello();
  void finish();
  void let_go();

  worker::Worker& worker_;
  SniffTarget& target_;
  const SniffNeeds needs_;
  const base::SocketAddress peer_;
  Sniffed result_;
  loop::IoToken token_;
  loop::Timer timer_;
  Step step_ = Step::kProxy;
  int looks_ = 0;
  int low_mark_ = 1;  // SO_RCVLOWAT: the loop is woken when there is more than we know
};

}  // namespace weir::transport
