#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/fd.h"
#include "common/wire/messages.h"
#include "tests/push/dataplane.h"

namespace weir::push {

// What the dataplane said to one transaction.
struct Verdict {
  bool answered = false;
  bool applied = false;
  std::vector<wire::Reason> reasons;  // of an ack: what is degraded; of a nack: why
  // Applied, with nothing degraded.
  bool clean() const { return answered && applied && reasons.empty(); }
  // All texts of this resource, "" when it is not named.
  std::string why(model::ResourceType type, const std::string& name) const;
  std::string to_string() const;
};

// A controller that pushes whatever a test wants, over the real socket with the real wire format.
// One thread.
class Controller {
 public:
  // Dials until the socket answers and reads the hello; connected() is false when that fails.
  explicit Controller(const std::string& socket);

  bool connected() const { return fd_.valid(); }
  const wire::Hello& hello() const { return hello_; }
  // One transaction and its answer.
  Verdict push(const std::vector<model::ResourcePtr>& upserts,
               const std::vector<model::ResourceKey>& removals = {}, bool full = false);
  // Key and hash of everything of one type.
  std::vector<wire::KeyHash> keys(model::ResourceType type);

  void send(const wire::Frame& frame);
  void send_bytes(std::string_view bytes);
  // The next frame; nothing at the end of the stream or after `most`.
  std::optional<wire::Frame> read(Millis most = kPatience);
  // True when the peer ends the connection in time.
  bool ends(Millis most = kPatience);

 private:
  base::UniqueFd fd_;
  wire::FrameReader reader_;
  wire::Hello hello_;
  bool over_ = false;
  std::uint64_t version_ = 0;
};

}  // namespace weir::push
