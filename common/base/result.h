#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "common/base/check.h"

namespace weir::base {

enum class ErrorKind { kInvalid, kNotFound, kTimeout, kClosed, kProtocol, kOverloaded, kSystem };

// Whose fault it was: decides the status code and whether a retry can help.
enum class Origin { kClient, kUpstream, kConfig, kSelf };

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::kInvalid;
  Origin origin = Origin::kSelf;
  bool retryable = false;  // true only while no request byte has left this process
  std::string text;        // outermost place first: "route shop/cart: connect 10.0.0.7:80: refused"

  // The same error with a place put in front of the text: "place: text".
  Error within(std::string_view place) && {
    text = std::string(place) + ": " + text;
    return std::move(*this);
  }
};

inline Error invalid(std::string text) {
  return Error{ErrorKind::kInvalid, Origin::kConfig, false, std::move(text)};
}

// Error of a failed system call: "what: strerror(errno)".
Error system_error(std::string_view what, int errno_value);

// A value or an Error. Reading the wrong side aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by intent
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by intent

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    WEIR_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    WEIR_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    WEIR_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  const Error& error() const& {
    WEIR_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    WEIR_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by intent

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    WEIR_CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    WEIR_CHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace weir::base
