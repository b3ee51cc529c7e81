#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>

#include "common/base/fd.h"

namespace weir::attack {

// A backend that answers "/big/N" with N bytes and everything else with "ok", once the whole
// request is there. Writes only what its peer takes. A thread of its own.
class Origin {
 public:
  Origin();
  ~Origin();
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  std::uint16_t port() const { return port_; }
  std::size_t served() const { return served_; }
  std::uint64_t sent() const { return sent_; }

 private:
  struct Connection {
    base::UniqueFd fd;
    std::string in;
    std::string head;      // of the answer, still to be sent
    std::size_t body = 0;  // likewise
  };
  void run();
  bool read(Connection& c);
  bool write(Connection& c);

  base::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> served_{0};
  std::atomic<std::uint64_t> sent_{0};
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace weir::attack
