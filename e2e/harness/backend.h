#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "common/base/fd.h"

namespace weir::e2e {

// An HTTP/1.1 server on port 8080 of a pod address (10.200.1.x). It answers 200 with its name in
// X-Backend and, as body, the head of the request. One thread.
class Backend {
 public:
  Backend(std::string name, std::string address);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  static constexpr std::uint16_t kPort = 8080;
  const std::string& name() const { return name_; }
  const std::string& address() const { return address_; }
  std::uint64_t served() const { return served_; }

 private:
  void run();
  bool serve(int fd, std::string& in);

  const std::string name_;
  const std::string address_;
  base::UniqueFd listener_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> served_{0};
  std::thread thread_;
};

}  // namespace weir::e2e
