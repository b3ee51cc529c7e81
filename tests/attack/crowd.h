#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/fd.h"
#include "tests/push/dataplane.h"

namespace weir::attack {

using push::Clock;
using push::Millis;

// What each client of a crowd does.
struct Habit {
  std::string opening = {};  // sent at once
  std::string drip = {};     // sent again and again
  Millis every{500};         // between two drips
  int receive_buffer = 0;    // SO_RCVBUF; 0: the system's
  bool reads = true;
  bool returns = false;            // comes back at once whenever it is ended
  std::string from = "127.0.0.1";  // its address
};

// Many bad clients on connections of their own. One thread drives them all: step().
class Crowd {
 public:
  Crowd(std::uint16_t port, std::size_t count, Habit habit);

  // Sends what is due, reads what came, notes who was ended; for about this long.
  void step(Millis time);
  // Steps until `done` says so; false after `most`.
  template <typename Test>
  bool step_until(Test done, Millis most) {
    for (const auto until = Clock::now() + most; !done();) {
      if (Clock::now() > until) return false;
      step(Millis(20));
    }
    return true;
  }

  std::size_t open() const { return open_; }
  std::size_t connected() const { return connected_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t returned() const { return returned_; }  // times that one came back
  const std::map<int, std::size_t>& statuses() const { return statuses_; }  // of first answers
  Millis longest() const { return longest_; }  // from connect to the end
  void leave();                                // all close

 private:
  struct Client {
    base::UniqueFd fd;
    Clock::time_point start;
    Clock::time_point next_drip;
    bool answered = false;
  };
  void drip(Client& client, Clock::time_point now);
  void read(Client& client, short events);
  void end(Client& client);

  const std::uint16_t port_;
  const Habit habit_;
  std::vector<Client> clients_;
  std::size_t open_ = 0;
  std::size_t connected_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t returned_ = 0;
  std::map<int, std::size_t> statuses_;
  Millis longest_{0};
};

}  // namespace weir::attack
