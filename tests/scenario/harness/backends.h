#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "tests/scenario/harness/message.h"
#include "tests/scenario/harness/socket.h"

namespace weir::scenario {

struct BackendConnection;

// Real HTTP/1.1 servers on ports of 127.0.0.1, all of them in one thread. Each answers 200 with its
// name in X-Backend and one line of text: "METHOD TARGET name length=N sum=H\n". A request steers
// it by X-Do:
//   delay:MS        answers that much later          silent         never answers
//   reset           resets the connection            cut            resets inside of the body
//   status:NNN      another status                   close          and Connection: close
//   chunked:N       N chunks and a trailer           stream:N:MS    one chunk every MS
//   big:N           N bytes of body                  hints          103 before the answer
//   rest:MS         reads nothing for MS once the head is in
// Expect: 100-continue is answered with 100. An upgrade is granted with 101; "websocket" then
// echoes messages of up to 125 bytes (RFC 6455), any other protocol echoes bytes.
class Backends {
 public:
  Backends();
  ~Backends();
  Backends(const Backends&) = delete;
  Backends& operator=(const Backends&) = delete;

  // Starts a backend; returns its port, 0 when that one is taken.
  std::uint16_t add(const std::string& name) { return add(name, "127.0.0.1", 0); }
  std::uint16_t add(const std::string& name, const std::string& address, std::uint16_t port);
  // As a pod ends: no new connections, idle ones are closed, requests in work are finished.
  void shut(const std::string& name);
  // As a pod dies: everything is reset.
  void kill(const std::string& name);
  // Closes connections that have waited for a request longer than this. 0: never.
  void set_idle_limit(Millis limit) { idle_limit_ = limit; }

  std::uint64_t served(const std::string& name) const;
  std::uint64_t connections(const std::string& name) const;  // accepted so far
  std::uint64_t bytes_read() const { return bytes_read_; }   // by all of them
  // How often a request with this X-Probe arrived.
  int deliveries(const std::string& probe) const;
  // The newest request of that backend.
  Message last_request(const std::string& name) const;

 private:
  friend struct BackendConnection;
  struct Backend {
    std::string name;
    base::UniqueFd listener;
    std::atomic<std::uint64_t> served{0};
    std::uint64_t connections = 0;
    bool ending = false;
    Message last;
  };

  void run();
  void post(std::function<void()> task);  // and waits for it
  void run_tasks();
  void run_timers();
  void accept_all(std::uint64_t id, Backend& backend);
  void on_event(std::uint64_t id, std::uint32_t events);
  void read(BackendConnection& c);
  void take(BackendConnection& c);
  void echo(BackendConnection& c);
  void answer(BackendConnection& c);
  void answer_now(BackendConnection& c, const std::string& what);
  void upgrade(BackendConnection& c);
  void stream(std::uint64_t id, int left, Millis gap);
  void finish(BackendConnection& c);
  void flush(BackendConnection& c);
  void drop(BackendConnection& c, bool reset);
  void close_idle();
  void later(Millis in, std::uint64_t id, std::function<void(BackendConnection&)> what);
  void drop_all(const Backend& backend, bool only_idle);

  base::UniqueFd epoll_, wakeup_;
  std::atomic<bool> stop_{false};
  std::atomic<Millis> idle_limit_{Millis(0)};
  std::atomic<std::uint64_t> bytes_read_{0};
  mutable std::mutex mutex_;  // tasks_, backends_, probes_
  std::deque<std::function<void()>> tasks_;
  std::map<std::string, std::unique_ptr<Backend>> backends_;
  std::unordered_map<std::string, int> probes_;
  std::unordered_map<std::uint64_t, Backend*> listeners_;
  std::unordered_map<std::uint64_t, std::unique_ptr<BackendConnection>> connections_;
  std::multimap<Clock::time_point,
                std::pair<std::uint64_t, std::function<void(BackendConnection&)>>>
      timers_;
  std::uint64_t next_id_ = 1;
  std::thread thread_;
};

// The number in the answer's "sum=": FNV-1a of the request's body.
std::string sum_of(std::string_view bytes);
// `size` bytes of a pattern without period 2^n; what "big" sends.
std::string pattern(std::size_t size);

}  // namespace weir::scenario
