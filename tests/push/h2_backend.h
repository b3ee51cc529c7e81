#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/fd.h"
#include "tests/push/dataplane.h"
#include "tests/unit/dataplane/codec/h2_frames.h"

namespace weir::push {

// An HTTP/2 server with prior knowledge, frame by frame, in a thread of its own; as hostile as the
// path of the request says (h2_backend.cc has the list). Any other path is answered with 200 and
// "h2" once the request has ended. Counts the requests that it has processed, by path: what it
// gives back as unprocessed does not count.
class H2Backend {
 public:
  explicit H2Backend(std::uint32_t max_streams = 100);
  ~H2Backend();
  H2Backend(const H2Backend&) = delete;
  H2Backend& operator=(const H2Backend&) = delete;

  std::uint16_t port() const { return port_; }
  std::size_t accepted() const { return accepted_; }
  std::size_t waiting() const { return waiting_; }      // requests to /hold
  std::size_t cancelled() const { return cancelled_; }  // streams that the peer has reset
  std::size_t gone_away() const { return gone_away_; }  // GOAWAYs of the peer with an error
  int processed(const std::string& path);
  std::string head(const std::string& path);  // of the last request, as FrameReader writes it
  void release() { released_ = true; }        // answers what waits, and what comes from now on

 private:
  struct Stream {
    std::string path;
    bool ended = false;
    bool answered = false;
  };
  struct Connection {
    base::UniqueFd fd;
    codec::FrameReader reader;
    std::string in;
    std::map<std::uint32_t, Stream> streams;
    bool over = false;
  };
  void run();
  void accept_all();
  void read(Connection& c);
  void take(Connection& c, const std::string& line);
  void begin(Connection& c, std::uint32_t id, const std::string& line);
  bool misbehave(Connection& c, std::uint32_t id, const std::string& path);
  void answer(Connection& c, std::uint32_t id);
  int count(const std::string& path);  // how often this path has been asked for, this one included
  static void send(Connection& c, const std::string& bytes);

  const std::uint32_t max_streams_;
  base::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false}, released_{false};
  std::atomic<std::size_t> accepted_{0}, waiting_{0}, cancelled_{0}, gone_away_{0};
  std::mutex mutex_;  // asked_, processed_, heads_
  std::map<std::string, int> asked_, processed_;
  std::map<std::string, std::string> heads_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::thread thread_;
};

}  // namespace weir::push
