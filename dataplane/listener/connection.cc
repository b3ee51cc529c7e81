#include "dataplane/listener/connection.h"

#include <algorithm>
#include <utility>

#include "dataplane/codec/h1.h"
#include "dataplane/codec/h2_server.h"

namespace weir::listener {
namespace {

using codec::SessionPhase;

constexpr std::size_t kChargedBytes = 1024;  // connection, transport and session, without buffers
constexpr auto kFarewell = std::chrono::seconds(1);  // to tell a late client why
constexpr auto kFirstRequestInDrain = std::chrono::seconds(2);
// A client that was answered this short a time ago may be writing its next request just now.
constexpr auto kMayAskAgain = std::chrono::milliseconds(500);

// Three words, none of which is a path, a URI or a version of HTTP: not a bad request of HTTP/1 but
// a failed preface of HTTP/2, which wants the connection closed (RFC 9113 section 3.4).
bool is_failed_preface(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  if (line.size() == bytes.size() || line.size() > codec::kH2Preface.size() + 2) return false;
  return std::count(line.begin(), line.end(), ' ') == 2 &&
         line.find_first_of("/*") == std::string_view::npos &&
         line.find("HTTP") == std::string_view::npos;
}

}  // namespace

void Connection::start(ConnectionHome& home, std::shared_ptr<Gate> gate,
                       std::shared_ptr<const Served> served,
                       std::unique_ptr<transport::Transport> transport) {
  // Owns itself; finish() buries it.
  auto* connection = new Connection(home, std::move(gate), std::move(served), std::move(transport));
  connection->transport_->set_target(*connection);
}

Connection::Connection(ConnectionHome& home, std::shared_ptr<Gate> gate,
                       std::shared_ptr<const Served> served,
                       std::unique_ptr<transport::Transport> transport)
    : worker_(home.context.worker),
      home_(home),
      gate_(std::move(gate)),
      served_(std::move(served)),
      transport_(std::move(transport)),
      timer_(home.context.worker.loop().timers(), *this) {
  link();
  client_.peer = transport_->peer();
  client_.address = client_.peer.ip();
  client_.listener = &served_->facts;
  client_.wire = transport_.get();
  answered_ = worker_.loop().now();
  worker_.budget().charge(kChargedBytes);
  home_.context.recorder.connection_opened(served_->tls);
}

Connection::~Connection() { worker_.budget().release(kChargedBytes); }

void Connection::link() {
  previous_ = home_.last;
  (previous_ == nullptr ? home_.first : previous_->next_) = this;
  home_.last = this;
  ++home_.count;
}

void Connection::unlink() {
  (previous_ == nullptr ? home_.first : previous_->next_) = next_;
  (next_ == nullptr ? home_.last : next_->previous_) = previous_;
  --home_.count;
}

void Connection::on_open() {
  client_.tls = transport_->tls();
  const model::Settings& settings = home_.context.live->settings;
  if (client_.tls != nullptr && client_.tls->alpn == "h2") {
    start_http2();
  } else {
    start_http1();
    opening_ = client_.tls == nullptr && settings.http2;
  }
  timer_.arm(worker_.loop().now() + settings.client_header_timeout);
}

void Connection::start_http1() {
  const exchange::ExchangeContext& context = home_.context;
  session_ = codec::make_h1_server(
      {context.worker.buffers(), context.heads, home_.limits, &worker_.loop()}, *this, *this);
}

void Connection::start_http2() {
  const exchange::ExchangeContext& context = home_.context;
  const model::Settings& settings = context.live->settings;
  client_.protocol = "HTTP/2.0";
  session_ = codec::make_h2_server(
      {context.worker.buffers(), context.heads, home_.limits, &worker_.loop()}, *this, *this,
      {settings.http2_streams, settings.client_header_timeout, settings.client_body_timeout});
}

// Clear text: the preface of HTTP/2 selects it (RFC 9113 section 3.3), anything else is HTTP/1.
//   bytes: all that came so far, when that is decided.
//   returns: false while it is not.
bool Connection::recognise(std::string_view& bytes) {
  if (opened_with_ != nullptr) bytes = opened_with_->append(bytes);
  const std::string_view preface = codec::kH2Preface.substr(0, bytes.size());
  if (!bytes.starts_with(preface)) return true;
  if (preface.size() < codec::kH2Preface.size()) {
    if (opened_with_ == nullptr) opened_with_ = std::make_unique<std::string>(bytes);
    return false;
  }
  start_http2();
  return true;
}

void Connection::on_bytes(std::string_view bytes) {
  if (finished_) return;
  wake();
  if (opening_) {
    if (!recognise(bytes)) return;
    opening_ = false;
    if (is_failed_preface(bytes)) return close("the client speaks no HTTP");
  }
  session_->on_bytes(bytes);
  opened_with_.reset();
  follow_phase();
}

void Connection::on_read_closed() {
  if (finished_) return;
  wake();
  if (session_ == nullptr) return close("the client closed before its first byte");
  session_->on_read_closed();
  follow_phase();
}

void Connection::on_drained() {
  if (session_ != nullptr && !finished_) session_->on_drained();
}

void Connection::on_closed(const base::Error& error) { lose(error); }

void Connection::lose(const base::Error& error) {
  if (finished_) return;
  if (session_ != nullptr) session_->on_lost(error);
  finish();
}

void Connection::close(const char* why, transport::Farewell farewell) {
  if (finished_) return;
  lose(base::Error{base::ErrorKind::kClosed, base::Origin::kSelf, false, why});
  if (farewell == transport::Farewell::kAtOnce) transport_->drop_output();
  transport_->close_when_flushed(farewell);
}

codec::MessageTarget& Connection::on_request(codec::MessageStream& stream) {
  // A changed listener holds for the next request; with exchanges open their facts stay.
  if (auto now = gate_->served();
      exchanges_ == 0 && now != nullptr && now != served_ && now->is_http()) {
    served_ = std::move(now);
    client_.listener = &served_->facts;
  }
  ++exchanges_;
  ++requests_;
  const std::uint32_t most = home_.context.live->settings.keep_alive_requests;
  const bool pressed = worker_.budget().pressure() >= base::Pressure::kKeepAlive;
  if (pressed) worker_.budget().process().pressure().count(base::PressureAction::kClosedBehind);
  if (pressed || home_.draining || gate_->draining() || (most != 0 && requests_ >= most)) {
    session_->start_drain();
  }
  timer_.cancel();
  return exchange::start_exchange(home_.context, client_, stream, *this);
}

void Connection::on_bad_request(codec::MessageStream& stream, int status, const base::Error& error,
                                const codec::Head* head) {
  exchange::refuse_request(home_.context, client_, stream, status, error, head);
}

void Connection::on_session_end() {
  if (finished_) return;
  // Over TLS the client still answers with its own close_notify.
  const bool is_over = client_.tls == nullptr && session_->client_is_done();
  transport_->close_when_flushed(is_over ? transport::Farewell::kAtOnce
                                         : transport::Farewell::kLinger);
  finish();
}

void Connection::on_exchange_done() {
  --exchanges_;
  if (!finished_) return follow_phase();
  if (exchanges_ == 0) worker_.bury(std::unique_ptr<worker::Buried>(this));
}

void Connection::move_to(State state) {
  if (state == state_) return;
  home_.context.recorder.connection_state(state_, state);
  state_ = state;
}

// Sets the deadline that belongs to what the session does now.
void Connection::follow_phase() {
  if (finished_) return;
  const SessionPhase before = std::exchange(phase_, session_->phase());
  if (exchanges_ > 0) return move_to(State::kWriting);
  const model::Settings& settings = home_.context.live->settings;
  const base::TimePoint now = worker_.loop().now();
  switch (phase_) {
    case SessionPhase::kIdle:
      move_to(State::kWaiting);
      answered_ = now;
      rest();
      // What comes between requests on HTTP/2 (a PING) is no reason to stay.
      if (requests_ > 0 && (before != phase_ || !timer_.armed())) {
        timer_.arm(now + settings.keep_alive_timeout);
      }
      break;
    case SessionPhase::kReadingHead:
      // The whole head has one deadline: later bytes of it do not move it.
      if (before != phase_ || !timer_.armed()) timer_.arm(now + settings.client_header_timeout);
      move_to(State::kReading);
      break;
    case SessionPhase::kBusy:
      // Answered, and the client still sends its body.
      if (before != phase_ || !timer_.armed()) timer_.arm(now + settings.client_body_timeout);
      move_to(State::kReading);
      break;
  }
}

// Idle: keeps its session as one of the last that became so, and has the oldest of them park.
void Connection::rest() {
  if (warm_ != WarmSessions::kNowhere || !session_->can_park()) return;
  Connection* const displaced = home_.warm.enter(*this, warm_);
  if (displaced != nullptr) displaced->park();
}

void Connection::park() {
  warm_ = WarmSessions::kNowhere;
  if (finished_ || exchanges_ > 0 || !session_->can_park()) return;
  session_.reset();
  parked_ = true;
}

void Connection::wake() {
  if (!parked_) return;
  parked_ = false;
  start_http1();
}

void Connection::on_timer() {
  if (finished_ || exchanges_ > 0) return;
  // HTTP/2 says good-bye; one that has sent half a request gets none.
  if (idle() && session_ != nullptr) return session_->start_drain();
  const bool ends_itself = session_ != nullptr && session_->on_head_late();
  if (finished_) return;
  if (ends_itself) return timer_.arm(worker_.loop().now() + kFarewell);
  close("the client was silent for too long");
}

bool Connection::idle() const {
  if (finished_ || exchanges_ > 0 || requests_ == 0) return false;
  return parked_ || (session_ != nullptr && session_->phase() == SessionPhase::kIdle);
}

std::optional<Waiter::Wait> Connection::wait() const {
  if (finished_ || exchanges_ > 0) return std::nullopt;
  const bool silent = transport_->bytes_read() == 0;
  const Tier new_one = silent ? Tier::kSilent : Tier::kBegan;
  return Wait{requests_ > 0 ? Tier::kServed : new_one, answered_, &client_.peer};
}

void Connection::close_if_idle() {
  // One with exchanges says so in its next head and ends behind them: kept alive, it would outlast
  // the drain.
  if (!finished_ && exchanges_ > 0) return session_->start_drain();
  const base::TimePoint now = worker_.loop().now();
  if (idle()) {
    wake();
    if (now - answered_ >= kMayAskAgain) return session_->start_drain();
    timer_.cancel();
    return timer_.arm(now + kMayAskAgain);
  }
  if (finished_ || session_ == nullptr || requests_ > 0) return;
  timer_.cancel();
  timer_.arm(now + kFirstRequestInDrain);
}

void Connection::finish() {
  finished_ = true;
  timer_.cancel();
  move_to(State::kWaiting);
  home_.context.recorder.connection_closed();
  home_.caps.leave(client_.peer);
  home_.warm.leave(warm_);
  unlink();
  if (exchanges_ == 0) worker_.bury(std::unique_ptr<worker::Buried>(this));
}

}  // namespace weir::listener
