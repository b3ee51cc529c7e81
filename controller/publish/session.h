#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/fd.h"
#include "common/loop/loop.h"
#include "common/wire/frame.h"
#include "common/wire/messages.h"
#include "controller/translate/engine.h"

namespace weir::publish {

// Told what the dataplane says. On the loop's thread.
class SessionTarget {
 public:
  virtual ~SessionTarget() = default;
  // The dataplane holds and serves what live() says; keys: what this transaction moved.
  virtual void on_applied(const std::vector<model::ResourceKey>& keys) = 0;
  // Resources that the dataplane refused (nack: its last good version stays) or serves as 503
  // (degraded).
  virtual void on_refused(const std::vector<wire::Reason>& reasons) = 0;
};

// The controller's end of the socket to one dataplane. Dials, resyncs by
// digest, then sends one transaction at a time.
//
// What waits is a set of dirty keys, not a queue of messages: a transaction takes the newest state
// of each key when it starts, and renders frames only as the socket takes them, so a stopped
// dataplane costs no memory beyond the keys.
//
// One loop thread. Invariants: (1) live_ is what the dataplane has acknowledged; (2) at most one
// transaction is unanswered; (3) a key whose desired hash equals its live or its refused hash is
// never sent, nor is one of a type that an older dataplane does not have.
class Session final : public loop::IoHandler {
 public:
  // path: the dataplane's control socket. loop, engine, target: borrowed for the session's life.
  Session(loop::Loop& loop, std::string path, const translate::Engine& engine,
          SessionTarget& target);
  ~Session() override;

  void start();  // dials, and redials for ever
  void mark(const translate::Engine::Changes& changes);

  bool connected() const { return state_ == State::kReady; }
  // Everything desired is live (refused keys apart).
  bool idle() const { return connected() && dirty_.empty() && !inflight_.has_value(); }
  // True when the dataplane serves this key's newest desired state.
  bool is_live(const model::ResourceKey& key) const;
  std::uint64_t applied_version() const { return applied_version_; }
  std::size_t waiting() const { return dirty_.size(); }
  // The number of the last mark(); the first is 2.
  std::uint64_t marks() const { return marks_; }
  // Up to which of them everything is acknowledged or was refused; 0: no session is in step.
  std::uint64_t reached() const { return reached_; }
  // Which of them the transaction that runs ends with, else reached().
  std::uint64_t begun() const { return inflight_.has_value() ? inflight_->mark : reached_; }
  const std::map<model::ResourceKey, wire::Reason>& refused_reasons() const { return reasons_; }

 private:
  enum class State { kDown, kHello, kKeys, kReady };
  struct Item {
    model::ResourceKey key;
    model::ResourcePtr resource;  // null: removal
  };
  struct Transaction {
    std::uint64_t version = 0;
    std::uint64_t mark = 0;   // all that was marked up to this one is in it, or was settled before
    std::vector<Item> items;  // upserts in type order, then removals in the opposite one
    std::size_t upserts = 0;
    std::size_t rendered = 0;  // items whose frames have been made
    bool committed = false;    // the commit frame has been made
  };

  void on_io(std::uint32_t events) override;
  void dial();
  void close(std::string_view reason, base::Duration redial_after);
  void read_socket();
  void on_frame(wire::Frame frame);
  void on_hello(const wire::Hello& hello);
  void on_keys(const wire::Keys& keys);
  void on_ack(const wire::Ack& ack);
  void on_nack(const wire::Nack& nack);
  void resynced();
  void assume_live(model::ResourceType type);
  void note_types(const wire::Hello& hello);
  bool knows(model::ResourceType type) const { return known_[static_cast<std::size_t>(type)]; }
  void begin();
  void render();
  void write_socket();
  void send(const wire::Frame& frame);
  bool settled(const model::ResourceKey& key, const model::ResourcePtr& desired) const;
  model::ResourcePtr desired(const model::ResourceKey& key) const;

  loop::Loop& loop_;
  const std::string path_;
  const translate::Engine& engine_;
  SessionTarget& target_;
  State state_ = State::kDown;
  base::UniqueFd socket_;
  loop::IoToken token_;
  wire::FrameReader reader_;
  std::string out_;
  std::size_t out_sent_ = 0;
  std::set<model::ResourceKey> dirty_;
  std::map<model::ResourceKey, std::string> live_;     // key -> hash
  std::map<model::ResourceKey, std::string> refused_;  // key -> hash that was refused
  std::map<model::ResourceKey, wire::Reason> reasons_;
  std::set<model::ResourceType> keys_awaited_;
  std::array<bool, model::kResourceTypes> known_{};  // types that this dataplane has
  std::optional<Transaction> inflight_;
  std::uint64_t next_version_ = 1;
  std::uint64_t applied_version_ = 0;
  std::uint64_t marks_ = 1;
  std::uint64_t reached_ = 0;
  loop::Timer redial_;
};

}  // namespace weir::publish
