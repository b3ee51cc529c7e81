#include "tests/attack/polite.h"

#include <optional>

namespace weir::attack {

Polite::Polite(push::Door door, int rate)
    : door_(std::move(door)), gap_(1'000 / rate), thread_([this] { run(); }) {}

Polite::~Polite() { stop(); }

void Polite::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string Polite::first_failure() {
  const std::lock_guard lock(mutex_);
  return first_failure_;
}

void Polite::run() {
  std::optional<push::Client> client;
  while (!stop_) {
    if (!client) client.emplace(door_);
    const push::Answer answer = client->get("/polite", "a.test");
    if (answer.status == 200) {
      ++served_;
    } else {
      ++failed_;
      const std::lock_guard lock(mutex_);
      if (first_failure_.empty()) {
        first_failure_ =
            client->is_open() ? "status " + std::to_string(answer.status) : "no connection";
      }
    }
    if (answer.status == 0 || answer.field("Connection") == "close") client.reset();
    push::nap(gap_);
  }
}

}  // namespace weir::attack
