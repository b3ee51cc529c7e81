#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/loop/loop.h"

namespace weir::kubernetes {

// What identifies us and the server on a connection. PEM texts, so that keys never touch a disk.
struct TlsSettings {
  std::string ca_pem;  // empty: the system's certificates
  std::string client_cert_pem;
  std::string client_key_pem;
  std::string server_name;  // empty: the URL's host
  bool insecure = false;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::chrono::milliseconds timeout{0};  // for the whole exchange; 0: none (streams)
};

// Takes an answer. Calls come from the loop, never from inside start(); the target may cancel the
// transfer, start others or destroy itself in any of them.
class HttpTarget {
 public:
  virtual ~HttpTarget() = default;
  // headers: names in lower case. Once, before the first byte of the body.
  virtual void on_head(int status,
                       const std::vector<std::pair<std::string, std::string>>& headers) = 0;
  virtual void on_bytes(std::string_view bytes) = 0;
  // The last call. Errors: kClosed or kTimeout, origin kUpstream; retryable when nothing was sent
  // (no connection); kInvalid, origin kConfig, when the server's certificate is refused.
  virtual void on_end(base::Result<void> result) = 0;
};

class CurlConnections;

// One running transfer; destruction cancels it. Empty after the end.
class HttpTransfer {
 public:
  HttpTransfer() = default;
  HttpTransfer(HttpTransfer&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), id_(std::exchange(other.id_, 0)) {}
  HttpTransfer& operator=(HttpTransfer&& other) noexcept {
    cancel();
    owner_ = std::exchange(other.owner_, nullptr);
    id_ = std::exchange(other.id_, 0);
    return *this;
  }
  ~HttpTransfer() { cancel(); }
  void cancel();
  // The connection below looks dead: nothing new is put on it. The transfer itself goes on.
  void distrust_connection();

 private:
  friend class CurlConnections;
  HttpTransfer(CurlConnections* owner, std::uint64_t id) : owner_(owner), id_(id) {}
  CurlConnections* owner_ = nullptr;
  std::uint64_t id_ = 0;
};

// libcurl on the loop: HTTP/2 where ALPN gives it, else HTTP/1.1.
//
// Connections are grouped by hand, one libcurl multi handle a group, because a server that allows
// 100 streams on a connection would let the 101st watch wait for ever without an error. Invariants:
// (1) a group of streams carries at most kStreamsPerGroup of them, short calls have groups of their
// own; (2) no stream is ever paused; (3) targets are called outside of libcurl. One loop thread;
// must outlive its transfers.
class CurlConnections {
 public:
  static constexpr std::size_t kStreamsPerGroup = 80;
  enum class Use { kCall, kStream };

  // loop is borrowed for the object's life.
  explicit CurlConnections(loop::Loop& loop);
  ~CurlConnections();

  // Used for transfers that start from now on.
  void set_tls(TlsSettings tls);
  // target is borrowed until on_end or the transfer's cancellation.
  HttpTransfer start(HttpRequest request, Use use, HttpTarget& target);
  std::size_t groups() const { return groups_.size(); }

 private:
  friend class HttpTransfer;
  class Group;
  struct Transfer;

  Group& group_for(Use use);
  void cancel(std::uint64_t id);
  void distrust(std::uint64_t id);
  void drop_idle_groups();

  loop::Loop& loop_;
  std::shared_ptr<const TlsSettings> tls_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::unordered_map<std::uint64_t, Group*> group_of_;
  std::uint64_t next_id_ = 1;
};

}  // namespace weir::kubernetes
