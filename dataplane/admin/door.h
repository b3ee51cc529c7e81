#pragma once

#include <memory>
#include <string>

#include "common/base/fd.h"
#include "dataplane/admin/connection.h"

namespace weir::admin {

// A listening socket for admin pages with bounded connections: with kMost open, a new client
// displaces the stalest one, so that a hundred half-sent requests cannot keep a probe out. One
// thread.
class Door final : public loop::IoHandler {
 public:
  static constexpr std::size_t kMost = 128;

  // socket: listening, non-blocking, TCP or Unix. worker, pages: borrowed for the door's life.
  Door(worker::Worker& worker, Pages& pages, base::UniqueFd socket);
  ~Door() override;
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  void on_io(std::uint32_t events) override;
  std::size_t connections() const { return home_.open.size(); }

 private:
  Home home_;
  base::UniqueFd socket_;
  loop::IoToken token_;
};

//   errors: kSystem naming the address.
base::Result<base::UniqueFd> listen_tcp(const std::string& address, std::uint16_t port);
// A Unix socket that only this user may open (mode 0600); a file that is in the way is removed when
// nobody answers on it.
//   errors: kSystem naming the path.
base::Result<base::UniqueFd> listen_unix(const std::string& path);

}  // namespace weir::admin
