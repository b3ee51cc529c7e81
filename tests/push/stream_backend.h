#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/fd.h"
#include "tests/push/dataplane.h"

namespace weir::push {

// A backend of bytes in a thread of its own, for TCP and, on the same port, for UDP. Over TCP it
// greets with "NAME\n" and echoes; when the client has ended its direction and everything is echoed
// it says "BYE\n" and ends too. Over UDP it answers each datagram with "NAME " and the datagram,
// twice when that begins with "twice", never when it begins with "never".
class StreamBackend {
 public:
  explicit StreamBackend(std::string name);
  ~StreamBackend();
  StreamBackend(const StreamBackend&) = delete;
  StreamBackend& operator=(const StreamBackend&) = delete;

  std::uint16_t port() const { return port_; }
  std::size_t accepted() const { return accepted_; }
  std::size_t open() const { return open_; }  // connections
  // Resets every connection and listens no more, as a process that is killed.
  void kill() { killed_ = true; }
  bool gone() const { return gone_; }

 private:
  struct Connection {
    base::UniqueFd fd;
    std::string out;
    bool ended = false;  // the client's direction
    bool over = false;
  };
  void run();
  void pump(Connection& c);
  void answer_datagrams();

  const std::string name_;
  base::UniqueFd listener_;
  base::UniqueFd datagrams_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false}, killed_{false}, gone_{false};
  std::atomic<std::size_t> accepted_{0}, open_{0};
  std::vector<Connection> connections_;
  std::thread thread_;
};

// One TCP or UDP socket of a client, with a bound on every wait.
class RawClient {
 public:
  RawClient(std::uint16_t port, bool udp, int receive_buffer = 0);
  bool is_open() const { return fd_.valid(); }
  bool send(std::string_view bytes);  // all of it
  // What the socket takes now; 0 when it takes nothing.
  std::size_t send_some(std::string_view bytes);
  void finish_sending();
  // One recv; empty at the end of the stream, and after `most`.
  std::string receive(Millis most = kPatience);
  // Until the stream ends or that many bytes are there.
  std::string read(std::size_t bytes, Millis most = kPatience);
  bool ends(Millis most = kPatience);  // end or reset; what came before is thrown away
  std::uint16_t local_port() const;

 private:
  bool wait(short events, Millis most) const;
  base::UniqueFd fd_;
};

}  // namespace weir::push
