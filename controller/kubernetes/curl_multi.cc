#include "controller/kubernetes/curl_multi.h"

#include <curl/curl.h>
#include <sys/epoll.h>

#include <algorithm>

#include "controller/kubernetes/curl_transfer.h"

namespace weir::kubernetes {
namespace {

void init_curl_once() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  WEIR_CHECK(done == CURLE_OK);
}

}  // namespace

// One multi handle: one connection when the server speaks HTTP/2. libcurl is only entered from
// act(), add() and remove(), never from inside its own callbacks; what it received is delivered
// after act().
class CurlConnections::Group final : public loop::Flushable {
 public:
  Group(loop::Loop& loop, Use use)
      : loop_(loop), use_(use), timer_(loop.timers(), [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
    multi_ = curl_multi_init();
    WEIR_CHECK(multi_ != nullptr);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  }
  ~Group() override {
    loop_.flush_cancel(*this);
    for (auto& [id, transfer] : transfers_) curl_multi_remove_handle(multi_, transfer->easy.get());
    transfers_.clear();
    curl_multi_cleanup(multi_);
  }

  Use use() const { return use_; }
  bool trusted = true;
  bool full() const { return transfers_.size() >= kStreamsPerGroup; }
  bool busy() const { return !transfers_.empty() || acting_; }

  void add(std::unique_ptr<Transfer> transfer) {
    Transfer& one = *transfer;
    transfers_.emplace(one.id, std::move(transfer));
    if (!one.prepare() || curl_multi_add_handle(multi_, one.easy.get()) != CURLM_OK)
      one.ended = base::Error{base::ErrorKind::kSystem, base::Origin::kSelf, false,
                              "libcurl refuses the request"};
    loop_.flush_later(*this);
  }
  void remove(std::uint64_t id) {
    const auto found = transfers_.find(id);
    if (found == transfers_.end()) return;
    found->second->target = nullptr;
    curl_multi_remove_handle(multi_, found->second->easy.get());
    if (found->second.get() == delivering_) kept_ = std::move(found->second);
    transfers_.erase(found);
  }

 private:
  struct Socket final : public loop::IoHandler {
    Socket(Group& owner, curl_socket_t socket) : group(owner), fd(socket) {}
    void on_io(std::uint32_t events) override {
      int mask = 0;
      if ((events & EPOLLIN) != 0) mask |= CURL_CSELECT_IN;
      if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
      if ((events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_ERR | CURL_CSELECT_IN;
      group.act(fd, mask);
    }
    Group& group;
    curl_socket_t fd;
    loop::IoToken token;
  };

  void flush() override { act(CURL_SOCKET_TIMEOUT, 0); }

  void act(curl_socket_t fd, int mask) {
    int running = 0;
    acting_ = true;
    curl_multi_socket_action(multi_, fd, mask, &running);
    collect_ends();
    dead_sockets_.clear();
    deliver_all();
    acting_ = false;
  }

  void collect_ends() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      Transfer* one = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &one);
      one->ended =
          code == CURLE_OK
              ? base::Result<void>()
              : base::Result<void>(curl_error(code, message->easy_handle, one->request.url));
    }
  }

  void deliver_all() {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, transfer] : transfers_) {
      if (transfer->ended || !transfer->inbox.empty() ||
          (transfer->head_complete && !transfer->head_told))
        ids.push_back(id);
    }
    std::sort(ids.begin(), ids.end());
    for (const std::uint64_t id : ids) {
      const auto found = transfers_.find(id);
      if (found == transfers_.end()) continue;
      delivering_ = found->second.get();
      const bool ended = delivering_->ended.has_value();
      delivering_->deliver();
      delivering_ = nullptr;
      kept_.reset();
      if (ended) remove(id);
    }
  }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* user, void* socket_data) {
    auto& self = *static_cast<Group*>(user);
    auto* socket = static_cast<Socket*>(socket_data);
    if (what == CURL_POLL_REMOVE) {
      if (socket == nullptr) return 0;
      self.loop_.remove(socket->token);
      const auto found = self.sockets_.find(fd);
      if (found != self.sockets_.end()) {
        self.dead_sockets_.push_back(std::move(found->second));
        self.sockets_.erase(found);
      }
      curl_multi_assign(self.multi_, fd, nullptr);
      return 0;
    }
    std::uint32_t events = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
    if (socket != nullptr) {
      self.loop_.modify(socket->token, events);
      return 0;
    }
    auto made = std::make_unique<Socket>(self, fd);
    made->token = self.loop_.add(fd, *made, events);
    curl_multi_assign(self.multi_, fd, made.get());
    self.sockets_[fd] = std::move(made);
    return 0;
  }

  // Short waits become "at the end of this iteration": a tick of the timer wheel is 10 ms.
  static int on_timer(CURLM*, long timeout_ms, void* user) {
    auto& self = *static_cast<Group*>(user);
    if (timeout_ms < 0) {
      self.timer_.cancel();
    } else if (timeout_ms == 0) {
      self.loop_.flush_later(self);
    } else {
      self.timer_.arm(self.loop_.now() + std::chrono::milliseconds(timeout_ms));
    }
    return 0;
  }

  loop::Loop& loop_;
  Use use_;
  loop::Timer timer_;
  CURLM* multi_ = nullptr;
  std::unordered_map<std::uint64_t, std::unique_ptr<Transfer>> transfers_;
  std::unordered_map<curl_socket_t, std::unique_ptr<Socket>> sockets_;
  std::vector<std::unique_ptr<Socket>> dead_sockets_;  // may still be on the call stack
  Transfer* delivering_ = nullptr;
  std::unique_ptr<Transfer> kept_;  // cancelled by its own target during delivery
  bool acting_ = false;
};

void HttpTransfer::cancel() {
  if (owner_ != nullptr) std::exchange(owner_, nullptr)->cancel(id_);
}

void HttpTransfer::distrust_connection() {
  if (owner_ != nullptr) owner_->distrust(id_);
}

CurlConnections::CurlConnections(loop::Loop& loop)
    : loop_(loop), tls_(std::make_shared<const TlsSettings>()) {
  init_curl_once();
}

CurlConnections::~CurlConnections() = default;

void CurlConnections::set_tls(TlsSettings tls) {
  tls_ = std::make_shared<const TlsSettings>(std::move(tls));
}

CurlConnections::Group& CurlConnections::group_for(Use use) {
  drop_idle_groups();
  for (const auto& group : groups_) {
    if (group->use() == use && group->trusted && !group->full()) return *group;
  }
  groups_.push_back(std::make_unique<Group>(loop_, use));
  return *groups_.back();
}

HttpTransfer CurlConnections::start(HttpRequest request, Use use, HttpTarget& target) {
  Group& group = group_for(use);
  const std::uint64_t id = next_id_++;
  group_of_[id] = &group;
  group.add(std::make_unique<Transfer>(id, std::move(request), tls_, target));
  return HttpTransfer(this, id);
}

void CurlConnections::cancel(std::uint64_t id) {
  const auto found = group_of_.find(id);
  if (found == group_of_.end()) return;
  Group& group = *found->second;
  group_of_.erase(found);
  group.remove(id);
}

void CurlConnections::distrust(std::uint64_t id) {
  const auto found = group_of_.find(id);
  if (found != group_of_.end()) found->second->trusted = false;
}

// A trusted idle group keeps its connection warm for the next request, one a use.
void CurlConnections::drop_idle_groups() {
  bool kept_call = false;
  bool kept_stream = false;
  std::erase_if(groups_, [&](const std::unique_ptr<Group>& group) {
    if (group->busy()) return false;
    bool& kept = group->use() == Use::kCall ? kept_call : kept_stream;
    if (group->trusted && !kept) {
      kept = true;
      return false;
    }
    return true;
  });
}

}  // namespace weir::kubernetes
