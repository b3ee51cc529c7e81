#include "dataplane/supervisor/channel.h"

#include "dataplane/supervisor/packet.h"

namespace weir::supervisor {
namespace {

base::Json bind_message(const char* op, const model::Bind& bind) {
  base::Json out = base::Json::object();
  out.set("op", op);
  out.set("address", bind.address);
  out.set("port", static_cast<std::int64_t>(bind.port));
  out.set("udp", bind.udp);
  return out;
}

// Asks and waits for the answer; the supervisor answers in the order of the questions.
base::Result<std::vector<base::UniqueFd>> ask(int fd, const base::Json& question) {
  if (auto sent = send_packet(fd, question, {}, true); !sent.ok()) return std::move(sent).error();
  auto answer = receive_packet(fd);
  if (!answer.ok()) return std::move(answer).error();
  const base::Json& message = answer.value().message;
  if (!message["ok"].as_bool()) {
    return base::Error{base::ErrorKind::kSystem, base::Origin::kConfig, false,
                       message["error"].as_string()};
  }
  return std::move(answer).value().fds;
}

}  // namespace

base::Result<std::vector<base::UniqueFd>> Channel::listen(const model::Bind& bind,
                                                          std::uint32_t sockets) {
  base::Json question = bind_message("listen", bind);
  question.set("sockets", static_cast<std::int64_t>(sockets));
  return ask(fd_.get(), question);
}

base::Result<void> Channel::unlisten(const model::Bind& bind) {
  auto answer = ask(fd_.get(), bind_message("unlisten", bind));
  if (!answer.ok()) return std::move(answer).error();
  return {};
}

base::Result<base::UniqueFd> Channel::control_socket() {
  base::Json question = base::Json::object();
  question.set("op", "control");
  auto answer = ask(fd_.get(), question);
  if (!answer.ok()) return std::move(answer).error();
  if (answer.value().size() != 1) {
    return base::Error{base::ErrorKind::kProtocol, base::Origin::kSelf, false,
                       "supervisor channel: no control socket came"};
  }
  return std::move(answer.value().front());
}

void Channel::alive() {
  base::Json message = base::Json::object();
  message.set("op", "alive");
  // A lost beat is made up by the next; a supervisor that is gone is noticed elsewhere.
  [[maybe_unused]] const auto sent = send_packet(fd_.get(), message, {}, false);
}

}  // namespace weir::supervisor
