#include "controller/publish/session.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/log.h"

namespace weir::publish {
namespace {

// Frames are rendered while less than this waits for the socket.
constexpr std::size_t kRenderAhead = 256 * 1024;
constexpr base::Duration kRedial = std::chrono::milliseconds(50);
constexpr base::Duration kSupersededWait = std::chrono::seconds(5);

}  // namespace

Session::Session(loop::Loop& loop, std::string path, const translate::Engine& engine,
                 SessionTarget& target)
    : loop_(loop),
      path_(std::move(path)),
      engine_(engine),
      target_(target),
      redial_(loop.timers(), [this] { dial(); }) {}

Session::~Session() { loop_.remove(token_); }

void Session::start() { dial(); }

void Session::dial() {
  base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!fd.valid() || path_.size() >= sizeof address.sun_path) {
    close("socket path too long or no descriptor", std::chrono::seconds(1));
    return;
  }
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    redial_.arm(loop_.clock().now() + kRedial);
    return;
  }
  socket_ = std::move(fd);
  state_ = State::kHello;
  token_ = loop_.add(socket_.get(), *this, EPOLLIN | EPOLLRDHUP);
}

void Session::close(std::string_view reason, base::Duration redial_after) {
  if (state_ != State::kDown) base::log_warn("dataplane session ended", {{"reason", reason}});
  loop_.remove(token_);
  token_ = {};
  socket_.reset();
  state_ = State::kDown;
  reader_ = {};
  out_.clear();
  out_sent_ = 0;
  inflight_.reset();
  reached_ = 0;
  keys_awaited_.clear();
  live_.clear();
  refused_.clear();
  reasons_.clear();
  dirty_.clear();  // the next hello tells what differs
  redial_.arm(loop_.clock().now() + redial_after);
}

void Session::on_io(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) write_socket();
  if (token_.valid() && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read_socket();
}

void Session::read_socket() {
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    close(got == 0 ? "closed by the dataplane" : std::strerror(errno), kRedial);
    return;
  }
  reader_.add(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  while (state_ != State::kDown) {
    auto frame = reader_.next();
    if (!frame.ok()) {
      close(frame.error().text, kRedial);
      return;
    }
    if (!frame.value().has_value()) return;
    on_frame(std::move(*frame.value()));
  }
}

void Session::on_frame(wire::Frame frame) {
  const auto handle = [&]<typename Message>(void (Session::*take)(const Message&)) {
    const auto message = wire::from_frame<Message>(frame);
    if (message.ok()) {
      (this->*take)(message.value());
    } else {
      close(message.error().text, kRedial);
    }
  };
  if (frame.type == wire::FrameType::kHello && state_ == State::kHello) {
    const auto hello = wire::read_hello(std::move(frame));
    hello.ok() ? on_hello(hello.value()) : close(hello.error().text, kRedial);
  } else if (frame.type == wire::FrameType::kKeys && state_ == State::kKeys) {
    handle(&Session::on_keys);
  } else if (frame.type == wire::FrameType::kAck && inflight_.has_value()) {
    handle(&Session::on_ack);
  } else if (frame.type == wire::FrameType::kNack && inflight_.has_value()) {
    handle(&Session::on_nack);
  } else if (frame.type == wire::FrameType::kSuperseded) {
    close("superseded by another controller", kSupersededWait);
  } else {
    close("frame of type " + std::to_string(static_cast<int>(frame.type)) + " out of place",
          kRedial);
  }
}

// An older dataplane ends the session at a type that it does not have. One that names none has all.
void Session::note_types(const wire::Hello& hello) {
  known_.fill(hello.digests.empty());
  for (const wire::TypeDigest& one : hello.digests) {
    known_[static_cast<std::size_t>(one.type)] = true;
  }
  for (std::size_t i = 0; i < model::kResourceTypes; ++i) {
    if (known_[i]) continue;
    base::log_warn("the dataplane is older: resources of one type stay here",
                   {{"type", enum_names(model::ResourceType{}).begin()[i]}});
  }
}

void Session::on_hello(const wire::Hello& hello) {
  if (hello.protocol != wire::kProtocolVersion) {
    base::log_warn("dataplane speaks another protocol version",
                   {{"theirs", hello.protocol}, {"ours", wire::kProtocolVersion}});
  }
  note_types(hello);
  next_version_ = std::max(next_version_, hello.applied + 1);
  applied_version_ = hello.applied;
  std::array<wire::Digest, model::kResourceTypes> ours;
  for (const auto& [key, resource] : engine_.resources()) {
    ours[static_cast<std::size_t>(key.type)].add(key.name, resource->hash);
  }
  wire::KeysWanted wanted;
  for (std::size_t i = 0; i < model::kResourceTypes; ++i) {
    const auto type = static_cast<model::ResourceType>(i);
    const auto theirs =
        std::find_if(hello.digests.begin(), hello.digests.end(),
                     [type](const wire::TypeDigest& digest) { return digest.type == type; });
    if (theirs != hello.digests.end() && theirs->digest == ours[i].to_string()) {
      assume_live(type);
    } else if (hello.applied > 0 && knows(type)) {
      wanted.types.push_back(type);
      keys_awaited_.insert(type);
    }
  }
  if (keys_awaited_.empty()) {
    resynced();
    return;
  }
  state_ = State::kKeys;
  send(wire::to_frame(wire::FrameType::kKeysWanted, wanted));
}

void Session::assume_live(model::ResourceType type) {
  for (const auto& [key, resource] : engine_.resources()) {
    if (key.type == type) live_[key] = resource->hash;
  }
}

void Session::on_keys(const wire::Keys& keys) {
  for (const wire::KeyHash& pair : keys.keys)
    live_[model::ResourceKey{keys.type, pair.name}] = pair.hash;
  if (keys.last) keys_awaited_.erase(keys.type);
  if (keys_awaited_.empty()) resynced();
}

// The dataplane's state is known: what differs from the desired one is dirty.
void Session::resynced() {
  state_ = State::kReady;
  for (const auto& [key, resource] : engine_.resources()) {
    if (!settled(key, resource)) dirty_.insert(key);
  }
  for (const auto& [key, hash] : live_) {
    if (desired(key) == nullptr) dirty_.insert(key);
  }
  base::log_info("dataplane session ready", {{"live", live_.size()}, {"to_send", dirty_.size()}});
  std::vector<model::ResourceKey> keys;
  keys.reserve(live_.size());
  for (const auto& [key, hash] : live_) keys.push_back(key);
  if (dirty_.empty()) reached_ = marks_;
  target_.on_applied(keys);
  begin();
}

void Session::mark(const translate::Engine::Changes& changes) {
  ++marks_;
  if (state_ != State::kReady) return;  // the next hello finds the difference
  for (const model::ResourcePtr& resource : changes.upserts) dirty_.insert(resource->key);
  for (const model::ResourceKey& key : changes.removals) dirty_.insert(key);
  begin();
}

model::ResourcePtr Session::desired(const model::ResourceKey& key) const {
  const auto found = engine_.resources().find(key);
  return found == engine_.resources().end() ? nullptr : found->second;
}

bool Session::settled(const model::ResourceKey& key, const model::ResourcePtr& resource) const {
  if (!knows(key.type)) return true;
  const auto live = live_.find(key);
  if (resource == nullptr) return live == live_.end();
  if (live != live_.end() && live->second == resource->hash) return true;
  const auto refused = refused_.find(key);
  return refused != refused_.end() && refused->second == resource->hash;
}

bool Session::is_live(const model::ResourceKey& key) const {
  const model::ResourcePtr resource = desired(key);
  const auto live = live_.find(key);
  return resource != nullptr && live != live_.end() && live->second == resource->hash;
}

void Session::begin() {
  if (state_ != State::kReady || inflight_.has_value()) return;
  Transaction transaction;
  std::vector<Item> removals;
  for (const model::ResourceKey& key : dirty_) {
    model::ResourcePtr resource = desired(key);
    if (settled(key, resource)) continue;
    std::vector<Item>& list = resource == nullptr ? removals : transaction.items;
    list.push_back(Item{key, std::move(resource)});
  }
  dirty_.clear();
  if (transaction.items.empty() && removals.empty()) {
    reached_ = marks_;
    return;
  }
  transaction.upserts = transaction.items.size();
  transaction.items.insert(transaction.items.end(), std::make_move_iterator(removals.rbegin()),
                           std::make_move_iterator(removals.rend()));
  transaction.version = next_version_++;
  transaction.mark = marks_;
  wire::Begin frame;
  frame.version = transaction.version;
  inflight_ = std::move(transaction);
  send(wire::to_frame(wire::FrameType::kBegin, frame));
}

// Makes frames of the running transaction until enough waits for the socket.
void Session::render() {
  while (inflight_.has_value() && !inflight_->committed && out_.size() - out_sent_ < kRenderAhead) {
    if (inflight_->rendered == inflight_->items.size()) {
      wire::Commit commit;
      commit.version = inflight_->version;
      commit.upserts = static_cast<std::uint32_t>(inflight_->upserts);
      commit.removals = static_cast<std::uint32_t>(inflight_->items.size() - inflight_->upserts);
      inflight_->committed = true;
      WEIR_CHECK(wire::append_frame(wire::to_frame(wire::FrameType::kCommit, commit), out_).ok());
      continue;
    }
    const Item& item = inflight_->items[inflight_->rendered++];
    wire::Remove remove;
    remove.type = item.key.type;
    remove.name = item.key.name;
    const auto appended = wire::append_frame(item.resource != nullptr
                                                 ? wire::upsert_frame(*item.resource)
                                                 : wire::to_frame(wire::FrameType::kRemove, remove),
                                             out_);
    if (!appended.ok()) {  // over 1 MiB: refused here, as the dataplane would
      refused_[item.key] = item.resource->hash;
      reasons_[item.key] = wire::Reason{item.key.type, item.key.name, appended.error().text};
      --inflight_->upserts;
      target_.on_refused({reasons_[item.key]});
    }
  }
}

void Session::send(const wire::Frame& frame) {
  WEIR_CHECK(wire::append_frame(frame, out_).ok());
  write_socket();
}

void Session::write_socket() {
  for (;;) {
    render();
    if (out_sent_ == out_.size()) break;
    const ssize_t wrote =
        ::send(socket_.get(), out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL);
    if (wrote < 0 && errno == EAGAIN) {
      loop_.modify(token_, EPOLLIN | EPOLLRDHUP | EPOLLOUT);
      return;
    }
    if (wrote < 0) {
      close(std::strerror(errno), kRedial);
      return;
    }
    out_sent_ += static_cast<std::size_t>(wrote);
    if (out_sent_ == out_.size()) {
      out_.clear();
      out_sent_ = 0;
    }
  }
  loop_.modify(token_, EPOLLIN | EPOLLRDHUP);
}

void Session::on_ack(const wire::Ack& ack) {
  if (ack.version != inflight_->version) {
    close("ack of another version", kRedial);
    return;
  }
  std::vector<model::ResourceKey> keys;
  for (const Item& item : inflight_->items) {
    const auto refused = refused_.find(item.key);
    const bool skipped = item.resource != nullptr && refused != refused_.end() &&
                         refused->second == item.resource->hash;
    if (skipped) continue;
    refused_.erase(item.key);
    reasons_.erase(item.key);
    keys.push_back(item.key);
    if (item.resource != nullptr) {
      live_[item.key] = item.resource->hash;
    } else {
      live_.erase(item.key);
    }
  }
  applied_version_ = ack.version;
  reached_ = dirty_.empty() ? marks_ : inflight_->mark;
  inflight_.reset();
  for (const wire::Reason& reason : ack.degraded)
    reasons_[model::ResourceKey{reason.type, reason.name}] = reason;
  if (!ack.degraded.empty()) target_.on_refused(ack.degraded);
  target_.on_applied(keys);
  begin();
}

void Session::on_nack(const wire::Nack& nack) {
  std::size_t named = 0;
  for (const wire::Reason& reason : nack.reasons) {
    const model::ResourceKey key{reason.type, reason.name};
    for (const Item& item : inflight_->items) {
      if (item.key != key || item.resource == nullptr) continue;
      refused_[key] = item.resource->hash;
      reasons_[key] = reason;
      ++named;
    }
  }
  if (named == 0) {
    close("nack that names no resource of the transaction", std::chrono::seconds(1));
    return;
  }
  for (const Item& item : inflight_->items) dirty_.insert(item.key);
  inflight_.reset();
  target_.on_refused(nack.reasons);
  begin();
}

}  // namespace weir::publish
