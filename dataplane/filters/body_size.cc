// Refuses a request whose body is larger than the limit with 413.

#include "common/features/body_size.h"

#include "dataplane/exchange/exchange.h"
#include "dataplane/filters/kinds.h"
#include "dataplane/filters/settings_of.h"

namespace weir::filters {
namespace {

struct Received final : exchange::FilterState, upstream::Recycled<Received> {
  std::uint64_t bytes = 0;
};

class BodySizeFilter final : public exchange::Filter {
 public:
  explicit BodySizeFilter(std::uint64_t most) : most_(most) {}
  std::string_view stem() const override { return features::BodySize::kStem; }
  exchange::Hooks hooks() const override {
    using exchange::Hook;
    return most_ == 0 ? exchange::Hooks()
                      : exchange::Hooks().with(Hook::kRequestHead).with(Hook::kRequestData);
  }
  exchange::BodyNeed body_need() const override {
    return {most_ == 0 ? exchange::BodyNeed::Kind::kNone : exchange::BodyNeed::Kind::kStream, 0};
  }

  exchange::Verdict on_request_head(exchange::Exchange& exchange) const override {
    const codec::BodyLength length = exchange.request_length();
    const bool known = length.kind == codec::BodyLength::Kind::kKnown;
    return known && length.bytes > most_ ? refuse(exchange) : exchange::Verdict::kContinue;
  }

  // A known length was judged with the head, and the codec holds the client to it.
  exchange::Verdict on_request_data(exchange::Exchange& exchange,
                                    worker::Slice& data) const override {
    if (exchange.request_length().kind == codec::BodyLength::Kind::kKnown) {
      return exchange::Verdict::kContinue;
    }
    if (exchange.state() == nullptr) exchange.state() = std::make_unique<Received>();
    auto& received = static_cast<Received&>(*exchange.state());
    received.bytes += data.size();
    return received.bytes > most_ ? refuse(exchange) : exchange::Verdict::kContinue;
  }

 private:
  static exchange::Verdict refuse(exchange::Exchange& exchange) {
    exchange.reply(413, "body is larger than the route allows");
    return exchange::Verdict::kReplied;
  }
  std::uint64_t most_;
};

}  // namespace

base::Result<exchange::FilterPtr> make_body_size(const model::Resource& policy) {
  auto settings = settings_of<features::BodySize>(policy);
  if (!settings.ok()) return std::move(settings).error();
  return exchange::FilterPtr(std::make_shared<BodySizeFilter>(settings.value().max_bytes));
}

}  // namespace weir::filters
