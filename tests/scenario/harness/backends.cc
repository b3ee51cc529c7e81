#include "tests/scenario/harness/backends.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <future>

#include "tests/scenario/harness/backend_connection.h"

namespace weir::scenario {

Backends::Backends()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wakeup_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event{EPOLLIN, {.u64 = 0}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wakeup_.get(), &event);
  thread_ = std::thread([this] { run(); });
}

Backends::~Backends() {
  stop_ = true;
  ::eventfd_write(wakeup_.get(), 1);
  thread_.join();
}

void Backends::post(std::function<void()> task) {
  std::promise<void> done;
  {
    const std::lock_guard lock(mutex_);
    tasks_.emplace_back([&task, &done] {
      task();
      done.set_value();
    });
  }
  ::eventfd_write(wakeup_.get(), 1);
  done.get_future().wait();
}

std::uint16_t Backends::add(const std::string& name, const std::string& address,
                            std::uint16_t wanted) {
  auto backend = std::make_unique<Backend>();
  backend->name = name;
  backend->listener = listen_on(address, wanted);
  if (!backend->listener.valid()) return 0;
  const std::uint16_t port = port_of(backend->listener.get());
  post([this, &backend, &name] {
    const std::uint64_t id = next_id_++;
    listeners_[id] = backend.get();
    epoll_event event{EPOLLIN, {.u64 = id}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, backend->listener.get(), &event);
    const std::lock_guard lock(mutex_);
    backends_[name] = std::move(backend);
  });
  return port;
}

void Backends::shut(const std::string& name) {
  post([this, &name] {
    Backend& backend = *backends_.at(name);
    // What is in the backlog has been promised an answer.
    for (const auto& [id, owner] : listeners_) {
      if (owner == &backend) accept_all(id, backend);
    }
    backend.listener.reset();
    backend.ending = true;
    drop_all(backend, true);
  });
}

void Backends::kill(const std::string& name) {
  post([this, &name] {
    Backend& backend = *backends_.at(name);
    backend.listener.reset();
    drop_all(backend, false);
  });
}

void Backends::drop_all(const Backend& backend, bool only_idle) {
  std::vector<BackendConnection*> out;
  for (const auto& [id, c] : connections_) {
    if (&c->backend == &backend && (!only_idle || c->idle())) out.push_back(c.get());
  }
  for (BackendConnection* c : out) drop(*c, !only_idle);
}

std::uint64_t Backends::served(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return backends_.at(name)->served;
}

std::uint64_t Backends::connections(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return backends_.at(name)->connections;
}

int Backends::deliveries(const std::string& probe) const {
  const std::lock_guard lock(mutex_);
  const auto found = probes_.find(probe);
  return found == probes_.end() ? 0 : found->second;
}

Message Backends::last_request(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return backends_.at(name)->last;
}

void Backends::run() {
  std::array<epoll_event, 128> events;
  while (!stop_) {
    const int got = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 timers_.empty() && idle_limit_.load() == Millis(0) ? 1'000 : 2);
    for (int i = 0; i < got; ++i)
      on_event(events[static_cast<std::size_t>(i)].data.u64,
               events[static_cast<std::size_t>(i)].events);
    run_timers();
    close_idle();
  }
  run_tasks();
}

void Backends::run_tasks() {
  for (;;) {
    std::function<void()> task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

void Backends::run_timers() {
  while (!timers_.empty() && timers_.begin()->first <= Clock::now()) {
    auto [id, what] = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    const auto found = connections_.find(id);
    if (found != connections_.end()) what(*found->second);
  }
}

void Backends::later(Millis in, std::uint64_t id, std::function<void(BackendConnection&)> what) {
  timers_.emplace(Clock::now() + in, std::pair(id, std::move(what)));
}

void Backends::close_idle() {
  const Millis limit = idle_limit_;
  if (limit == Millis(0)) return;
  std::vector<BackendConnection*> out;
  for (const auto& [id, c] : connections_) {
    if (c->idle() && Clock::now() - c->idle_since > limit) out.push_back(c.get());
  }
  for (BackendConnection* c : out) drop(*c, false);
}

void Backends::on_event(std::uint64_t id, std::uint32_t events) {
  if (id == 0) {
    eventfd_t ignored = 0;
    ::eventfd_read(wakeup_.get(), &ignored);
    return run_tasks();
  }
  const auto listener = listeners_.find(id);
  if (listener != listeners_.end()) return accept_all(id, *listener->second);
  auto found = connections_.find(id);
  if (found == connections_.end()) return;
  if ((events & EPOLLOUT) != 0) flush(*found->second);
  found = connections_.find(id);
  if (found != connections_.end() && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    read(*found->second);
  }
}

void Backends::accept_all(std::uint64_t, Backend& backend) {
  while (backend.listener.valid()) {
    base::UniqueFd fd(
        ::accept4(backend.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    const std::uint64_t id = next_id_++;
    epoll_event event{EPOLLIN, {.u64 = id}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event);
    connections_[id] = std::make_unique<BackendConnection>(backend, id, std::move(fd));
    const std::lock_guard lock(mutex_);
    ++backend.connections;
  }
}

void Backends::drop(BackendConnection& c, bool reset) {
  if (reset) reset_on_close(c.fd.get());
  connections_.erase(c.id);
}

void Backends::read(BackendConnection& c) {
  if (c.resting) return;
  std::array<char, 65'536> chunk;
  const ssize_t got = ::recv(c.fd.get(), chunk.data(), chunk.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(c, false);
  bytes_read_ += static_cast<std::uint64_t>(got);
  c.in.append(chunk.data(), static_cast<std::size_t>(got));
  if (c.tunnel != BackendConnection::Tunnel::kNone) return echo(c);
  take(c);
}

void Backends::flush(BackendConnection& c) {
  while (c.fill()) {
    const ssize_t put = ::send(c.fd.get(), c.out.data(), c.out.size(), MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN && errno != EINTR) return drop(c, false);
    if (put < 0) break;
    c.out.erase(0, static_cast<std::size_t>(put));
  }
  if (c.out.empty() && c.closing) return drop(c, false);
  c.want(epoll_.get());
}

}  // namespace weir::scenario
