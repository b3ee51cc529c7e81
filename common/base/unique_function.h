#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::base {

template <typename Signature>
class UniqueFunction;

// A callable that may own move-only things; g++ 12 has no std::move_only_function. Empty when
// default-made; calling an empty one is undefined. One allocation per non-empty object: not for the
// request path.
template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <typename F,
            typename = std::enable_if_t<!std::is_same_v<std::decay_t<F>, UniqueFunction>>>
  UniqueFunction(F&& f)  // NOLINT: implicit by intent, like std::function
      : held_(std::make_unique<Held<std::decay_t<F>>>(std::forward<F>(f))) {}

  R operator()(Args... args) { return held_->call(std::forward<Args>(args)...); }
  explicit operator bool() const { return held_ != nullptr; }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual R call(Args... args) = 0;
  };
  template <typename F>
  struct Held final : Base {
    explicit Held(F f) : function(std::move(f)) {}
    R call(Args... args) override { return std::invoke(function, std::forward<Args>(args)...); }
    F function;
  };
  std::unique_ptr<Base> held_;
};

}  // namespace weir::base
