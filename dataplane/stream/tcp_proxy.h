#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/stream.h"
#include "dataplane/exchange/service.h"
#include "dataplane/shared/connection_caps.h"
#include "dataplane/stream/choice.h"
#include "dataplane/transport/transport.h"

namespace weir::stream {

class TcpProxy;

// What the streams of one worker share.
struct StreamHome {
  StreamHome(exchange::ExchangeContext& of, shared::ConnectionCaps& counted)
      : context(of), caps(counted), choice(of.live, of.upstreams) {}
  exchange::ExchangeContext& context;
  shared::ConnectionCaps& caps;
  Choice choice;
  TcpProxy* first = nullptr;  // all of them, oldest first
  TcpProxy* last = nullptr;
  std::size_t count = 0;
};

// A client whose bytes are to be passed on.
struct StreamClient {
  std::unique_ptr<transport::Transport> transport;  // no event has come yet
  std::string_view listener;                        // copied
  std::string_view owner;            // of the rule, for its turns: the listener or the host; copied
  std::string_view server_name;      // of a ClientHello; copied
  std::string_view protocol;         // "TCP" or "TLS", a literal
  base::SocketAddress destination;   // what the client connected to
  std::shared_ptr<const void> gate;  // where it came in; kept and compared, never looked into
};

// One client's connection and the backend's, bytes both ways. Back-pressure: what one side does not
// take stops reading of the other at 256 KiB. An end of one direction is passed on, the other goes
// on. Nothing is read from the client before a backend is connected, so that the next endpoint can
// be tried with nothing lost. Holds no snapshot. Owns itself. One thread.
class TcpProxy final : public worker::Buried, loop::TimerTarget {
 public:
  // Counted in caps by the caller. home: borrowed. rule: read now, not kept.
  static void start(StreamHome& home, const model::StreamRule& rule, StreamClient client);
  ~TcpProxy() override;

  TcpProxy* next() const { return next_; }
  const void* gate() const { return gate_.get(); }
  void end_by(base::TimePoint deadline);  // the latest: a drain's bound
  void close(std::string_view why);       // now

 private:
  struct Side final : transport::TransportTarget {
    explicit Side(TcpProxy& owner) : proxy(owner) {}
    void on_open() override { proxy.on_open(*this); }
    void on_bytes(std::string_view bytes) override { proxy.on_bytes(*this, bytes); }
    void on_read_closed() override { proxy.on_read_closed(*this); }
    void on_drained() override { proxy.on_drained(*this); }
    void on_closed(const base::Error& error) override { proxy.on_closed(*this, error); }

    TcpProxy& proxy;
    std::unique_ptr<transport::Transport> transport;
    bool ended = false;   // sends nothing more
    bool paused = false;  // because the other side does not take
  };

  TcpProxy(StreamHome& home, const model::StreamRule& rule, StreamClient client);
  void link();
  void unlink();
  Side& other(const Side& side) { return &side == &client_ ? upstream_ : client_; }
  void on_open(Side& side);
  void on_bytes(Side& side, std::string_view bytes);
  void on_read_closed(Side& side);
  void on_drained(Side& side);
  void on_closed(Side& side, const base::Error& error);
  void on_timer() override;
  void choose_backend(const model::StreamRule& rule);
  void connect();
  void connected();
  void fail(int status, std::string_view why);
  void finish(transport::Farewell farewell);
  void record();
  void watch();
  std::uint64_t written() const;

  StreamHome& home_;  // not in the destructor: a buried one may outlast it
  worker::Worker& worker_;
  observe::StreamCounters& counters_;
  Side client_{*this};
  Side upstream_{*this};
  const std::string listener_;
  const std::string owner_;
  const std::string server_name_;
  const std::string_view protocol_;
  const base::SocketAddress destination_;
  const std::shared_ptr<const void> gate_;
  const model::ProxyHeader send_proxy_;
  const base::Duration idle_timeout_;
  std::uint32_t tries_left_;

  std::string cluster_;
  std::string endpoint_;  // id of the one that is tried or used
  upstream::Use use_;     // its place there
  std::vector<std::string> avoid_;
  std::string error_;
  int status_ = 200;
  std::uint32_t attempts_ = 0;
  base::TimePoint started_;
  base::TimePoint attempt_;
  base::TimePoint progress_;    // when something last moved
  base::TimePoint deadline_{};  // zero: none
  base::Duration connect_time_{};
  std::uint64_t written_ = 0;  // when it was looked at last
  loop::Timer timer_;
  TcpProxy* next_ = nullptr;
  TcpProxy* previous_ = nullptr;
  bool open_ = false;  // the backend is connected
  bool over_ = false;
};

}  // namespace weir::stream
