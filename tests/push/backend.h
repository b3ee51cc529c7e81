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

// A recorder: an HTTP/1.1 server in a thread of its own that keeps the bytes of every whole request
// as they came. It frames them by Content-Length or chunked and answers 200 with its name as the
// body, on a connection that stays open. The target steers it: "/slow/MS" answers that much later,
// "/never" not at all, "/cut" closes without an answer, "/gap/MS" pauses inside of the body.
class Backend {
 public:
  explicit Backend(std::string name);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  std::uint16_t port() const { return port_; }
  const std::string& name() const { return name_; }
  std::size_t served() const { return served_; }
  std::size_t accepted() const { return accepted_; }
  std::size_t open() const { return open_; }  // connections
  // How it answers from now on where the target says nothing: with this status, this much later.
  struct Manner {
    int status = 200;
    Millis later{0};
  };
  void behave(Manner manner) {
    status_ = manner.status;
    later_ = static_cast<int>(manner.later.count());
  }
  // While set, request bytes stay unread.
  void hold(bool on) { held_ = on; }
  // The requests since the last call, in the order of their ends.
  std::vector<std::string> take();
  std::string last();

 private:
  struct Connection {
    base::UniqueFd fd;
    std::string in;
    std::string later;  // an answer that waits for its time
    Clock::time_point at;
    bool over = false;
  };
  void run();
  void read(Connection& c);
  void take_requests(Connection& c);
  void answer(Connection& c, const std::string& request);
  void send_due(Connection& c);

  const std::string name_;
  base::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<bool> held_{false};
  std::atomic<int> status_{200}, later_{0};
  std::atomic<std::size_t> served_{0}, accepted_{0}, open_{0};
  std::mutex mutex_;  // taken_, last_
  std::vector<std::string> taken_;
  std::string last_;
  std::thread thread_;
};

// Bytes of the first whole request in `in`, 0 when there is none yet.
std::size_t request_size(const std::string& in);
// The value of the first field of that name in a head, any case; empty when there is none.
std::string field_of(const std::string& message, const std::string& name);

}  // namespace weir::push
