#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/model/resource.h"
#include "dataplane/worker/buffer.h"

namespace weir::exchange {

class Exchange;

enum class Verdict : std::uint8_t { kContinue, kReplied, kWait };

// The hooks a filter takes part in; the route's plan holds one list per hook, so a filter costs
// nothing on the others.
enum class Hook : std::uint8_t {
  kRequestHead,
  kRequestData,
  kRequestEnd,
  kResponseHead,
  kResponseData,
  kResponseEnd,
  kComplete
};
inline constexpr std::size_t kHooks = 7;
class Hooks {
 public:
  constexpr Hooks() = default;
  constexpr Hooks with(Hook hook) const { return Hooks(bits_ | bit(hook)); }
  constexpr bool has(Hook hook) const { return (bits_ & bit(hook)) != 0; }

 private:
  constexpr explicit Hooks(unsigned bits) : bits_(bits) {}
  static constexpr unsigned bit(Hook hook) { return 1U << static_cast<unsigned>(hook); }
  unsigned bits_ = 0;
};

// What a filter wants of the request body before the upstream sees any of it. The route's maximum
// decides; one BodyBuffer serves all.
struct BodyNeed {
  enum class Kind : std::uint8_t { kNone, kStream, kBuffer };
  Kind kind = Kind::kNone;
  std::size_t limit = 0;  // of kBuffer, bytes
};

// State of one filter for one exchange; made by the filter, owned by the exchange.
class FilterState {
 public:
  virtual ~FilterState() = default;
};

// One step in the life of an exchange. Built once per policy when a snapshot is loaded and shared
// by every worker, so methods are const; per-request state lives in the Exchange. Must not block:
// what burns CPU or waits returns kWait with a wait in the Exchange, which the exchange owns and
// drops to cancel. Only declared hooks are called. Order: filters/order.cc.
class Filter {
 public:
  virtual ~Filter() = default;
  virtual std::string_view stem() const = 0;
  virtual Hooks hooks() const = 0;
  virtual BodyNeed body_need() const { return {}; }
  // After routing, before an endpoint is chosen. kReplied only after exchange.reply(...), kWait
  // only after exchange.wait(...); a resumed exchange calls the hook of the filter after the one
  // that waited, unless that one replied meanwhile.
  virtual Verdict on_request_head(Exchange&) const { return Verdict::kContinue; }
  // May replace or empty the data. kReplied ends the request body.
  virtual Verdict on_request_data(Exchange&, worker::Slice&) const { return Verdict::kContinue; }
  virtual Verdict on_request_end(Exchange&) const { return Verdict::kContinue; }
  virtual void on_response_head(Exchange&) const {
  }  // may edit the head; also for replies made by us; not for 1xx
  virtual void on_response_data(Exchange&, worker::Slice&) const {}
  virtual void on_response_end(Exchange&) const {}
  virtual void on_complete(Exchange&) const {}  // once, always: also after a reset
};
using FilterPtr = std::shared_ptr<const Filter>;

// How a policy becomes a filter; one row per feature in filters/order.cc, in the order of the
// chain.
struct FilterKind {
  std::string_view stem;
  std::uint32_t revision;  // the newest that this reader understands
  //   errors: kInvalid naming the field; the route then answers 503.
  base::Result<FilterPtr> (*make)(const model::Resource& policy);
};

}  // namespace weir::exchange
