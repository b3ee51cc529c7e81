#include "dataplane/admin/connection.h"

#include "dataplane/codec/h1.h"

namespace weir::admin {

void Connection::start(Home& home, std::unique_ptr<transport::Transport> transport) {
  // Owns itself; finish() buries it.
  auto* connection = new Connection(home, std::move(transport));
  connection->transport_->set_target(*connection);
}

Connection::Connection(Home& home, std::unique_ptr<transport::Transport> transport)
    : home_(home),
      transport_(std::move(transport)),
      session_(
          codec::make_h1_server({home.worker.buffers(), home.heads, home.limits}, *this, *this)),
      timer_(home.worker.loop().timers(), *this),
      place_(home.open.insert(home.open.end(), this)) {
  timer_.arm(home_.worker.loop().now() + kRequest);
}

void Connection::finish() {
  if (finished_) return;
  finished_ = true;
  timer_.cancel();
  home_.open.erase(place_);
  home_.worker.bury(std::unique_ptr<worker::Buried>(this));
}

void Connection::close() {
  if (finished_) return;
  session_->on_lost(
      {base::ErrorKind::kTimeout, base::Origin::kClient, false, "closed by deadline"});
  finish();
}

// The whole of a request and its answer has one deadline; between requests a connection may rest.
void Connection::on_timer() {
  const bool idle =
      served_ && session_->phase() == codec::SessionPhase::kIdle && transport_->queued() == 0;
  if (!idle || idle_) return close();
  idle_ = true;
  timer_.arm(home_.worker.loop().now() + kIdle);
}

void Connection::on_bytes(std::string_view bytes) {
  if (finished_) return;
  if (idle_) timer_.arm(home_.worker.loop().now() + kRequest);
  idle_ = false;
  session_->on_bytes(bytes);
}

void Connection::on_read_closed() {
  if (!finished_) session_->on_read_closed();
}

void Connection::on_drained() {
  if (finished_) return;
  session_->on_drained();
}

void Connection::on_closed(const base::Error& error) {
  if (finished_) return;
  session_->on_lost(error);
  finish();
}

void Connection::on_session_end() {
  if (finished_) return;
  transport_->close_when_flushed(transport::Farewell::kLinger);
  finish();
}

codec::MessageTarget& Connection::on_request(codec::MessageStream& stream) {
  stream_ = &stream;
  return *this;
}

// Pages need no body: the answer goes out at once, and the session reads what is left of the
// request.
void Connection::on_head(codec::HeadPtr head, codec::BodyLength) {
  const bool with_body = head->method() != "HEAD";
  const Page page = home_.pages.answer(head->method(), head->target(), head->authority());
  served_ = true;
  home_.open.splice(home_.open.end(), home_.open, place_);
  send(*stream_, page, with_body);
}

void Connection::on_bad_request(codec::MessageStream& stream, int status, const base::Error& error,
                                const codec::Head*) {
  send(stream, {status, "text/plain; charset=utf-8", error.text + "\n"}, true);
}

void Connection::send(codec::MessageStream& stream, const Page& page, bool with_body) {
  const codec::HeadPtr head = home_.heads.take();
  head->set_status(page.status);
  head->add("Content-Type", page.content_type);
  head->add("Cache-Control", "no-store");
  for (const auto& [name, value] : page.fields) head->add(name, value);
  stream.send_head(*head, codec::BodyLength::known(page.body.size()));
  if (page.body.empty()) return;
  if (with_body) stream.send_data(home_.worker.buffers().copy(page.body));
  stream.send_end();
}

}  // namespace weir::admin
