#pragma once

#include <string_view>

#include "dataplane/worker/buffer.h"

namespace weir::codec {

// The received bytes that a session has not used yet: in the receive scratch while an on_bytes call
// runs, and in a chunk of its own when something is left over. Owns nothing while empty.
class Inbox {
 public:
  explicit Inbox(worker::BufferPool& pool) : pool_(pool) {}
  ~Inbox() { clear(); }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // New bytes behind those that are held. Borrowed until settle(), which the caller calls before it
  // returns.
  void receive(std::string_view bytes);
  void settle();  // keeps what is left in a chunk

  std::string_view view() const { return view_; }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  void skip(std::size_t n);
  worker::Slice take(std::size_t n);  // the first n bytes: borrowed, or sharing the chunk
  void clear();

 private:
  void move_to_chunk(std::size_t room);
  void drop_if_empty();

  worker::BufferPool& pool_;
  worker::Chunk* chunk_ = nullptr;  // one reference is ours
  std::string_view view_;           // in the chunk, or borrowed when there is none
};

}  // namespace weir::codec
