#pragma once

#include <string>

#include "common/base/fd.h"
#include "common/loop/loop.h"
#include "tests/echo/request.h"

namespace weir::echo {

struct Settings {
  std::string name = "echo";
  std::size_t body_bytes = 0;  // > 0: GET answers a body of this size instead of JSON
};

// One client of the test backend. Owns itself; dies when the peer closes.
//
//   /stream?n=..&ms=..  n chunks, ms apart        /slow?ms=..  answers after ms
//   Upgrade: websocket  echoes frames             all else     JSON of what came
class Connection final : public loop::IoHandler {
 public:
  Connection(loop::Loop& loop, base::UniqueFd fd, const Settings& settings);
  ~Connection() override;
  void on_io(std::uint32_t events) override;

 private:
  void read_some();
  void take_all();
  void answer(const Request& request);
  void answer_upgrade(const Request& request);
  void answer_plain(const Request& request);
  void on_timer();
  void next_chunk();
  void send(std::string_view bytes);
  void flush();

  loop::Loop& loop_;
  base::UniqueFd fd_;
  const Settings& settings_;
  loop::IoToken token_;
  loop::Timer timer_;
  std::string in_;
  std::string out_;
  bool web_socket_ = false;
  bool busy_ = false;     // an answer is due by timer: later requests wait
  bool closing_ = false;  // after the output
  bool dead_ = false;
  Request slow_;           // answered when the timer fires
  long chunks_left_ = -1;  // of a stream; -1: none
  std::chrono::milliseconds gap_{0};
};

}  // namespace weir::echo
