#pragma once

#include <utility>

namespace weir::exchange {

// How many request bodies go on at a time while memory is short: what lasts, because the process
// simply weighs that much, must slow uploads down and not end them. One worker.
class BodyDoor {
 public:
  static constexpr int kMost = 4;  // each has at most MessageStream::kHighMark waiting

  // Holds a place until its end.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept : door_(std::exchange(other.door_, nullptr)) {}
    Pass& operator=(Pass other) noexcept {
      std::swap(door_, other.door_);
      return *this;
    }
    ~Pass() {
      if (door_ != nullptr) --door_->inside_;
    }
    explicit operator bool() const { return door_ != nullptr; }

   private:
    friend class BodyDoor;
    explicit Pass(BodyDoor& door) : door_(&door) { ++door.inside_; }
    BodyDoor* door_ = nullptr;
  };

  // Empty: no place is free. The door outlives its passes.
  Pass enter() { return inside_ < kMost ? Pass(*this) : Pass(); }

 private:
  int inside_ = 0;
};

}  // namespace weir::exchange
