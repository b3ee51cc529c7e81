// Birth, death and the record of an exchange.

#include "dataplane/exchange/error_page.h"
#include "dataplane/exchange/exchange.h"
#include "dataplane/exchange/grpc_status.h"

namespace weir::exchange {
namespace {

void add_client(observe::ExchangeRecord& record, const ClientFacts& client) {
  record.protocol = client.protocol;
  record.client = client.address;
  record.tls = client.tls != nullptr;
}

void add_request(observe::ExchangeRecord& record, const codec::Head& request) {
  record.method = request.method();
  record.host = request.authority();
  record.target = request.target();
  record.referer = request.find(codec::FieldId::kReferer).value_or("");
  record.user_agent = request.find(codec::FieldId::kUserAgent).value_or("");
  record.request_id = request.find(codec::FieldId::kXRequestId).value_or("");
}

}  // namespace

Exchange::Exchange(ExchangeContext& context, const ClientFacts& client,
                   codec::MessageStream& stream, ExchangeOwner& owner)
    : context_(context),
      facts_(client),
      client_(stream),
      owner_(owner),
      body_(context.worker.buffers()),
      timer_(context.worker.loop().timers(), *this) {
  times_.started = times_.client = times_.window = context.worker.loop().now();
}

Exchange::~Exchange() = default;

Exchange::Next Exchange::finish() {
  phase_ = Phase::kOver;
  timer_.cancel();
  context_.local.routes.forget(*this);
  context_.local.waits.close(ticket_);
  wait_.reset();
  run_complete_hooks();
  if (status_ != 0) record();
  attempt_.reset();  // an unfinished stream is given up
  use_ = {};
  pass_ = {};
  snapshot_.reset();
  context_.worker.bury(std::unique_ptr<worker::Buried>(this));
  owner_.on_exchange_done();
  return Next::kPark;
}

void Exchange::record() {
  observe::ExchangeRecord record;
  const base::TimePoint now = context_.worker.loop().now();
  record.started = times_.started;
  record.request_time = now - times_.started;
  record.status = status_;
  record.upstream_status = upstream_status_;
  record.request_bytes = counts_.request;
  record.response_body_bytes = counts_.response;
  record.response_bytes = counts_.response + (response_ == nullptr ? 0 : response_->bytes());
  add_client(record, facts_);
  record.client = client_address();
  if (request_ != nullptr) add_request(record, *request_);
  record.user = user_;
  record.error = error_;
  record.attempts = counts_.attempts;
  if (attempt_ != nullptr) {
    record.upstream = attempt_->endpoint().id;
    record.upstream_connect = attempt_->connect_time();
    record.upstream_time = now - times_.attempt;
    if (upstream_status_ != 0) record.upstream_header = times_.response_head - times_.attempt;
  }
  if (backend_ != nullptr) record.cluster = backend_->cluster;
  if (plan_ != nullptr) {
    record.labels = plan_->labels;
    record.route = &plan_->route().labels;
  }
  context_.recorder.record(record);
  if (trace_ == nullptr || !trace_->sampled) [[likely]]
    return;
  end_traced_attempt(upstream_status_, error_);
  if (context_.spans != nullptr) context_.spans->write(*trace_, record, now);
}

codec::MessageTarget& start_exchange(ExchangeContext& context, const ClientFacts& client,
                                     codec::MessageStream& stream, ExchangeOwner& owner) {
  return *new Exchange(context, client, stream, owner);
}

void refuse_request(ExchangeContext& context, const ClientFacts& client,
                    codec::MessageStream& stream, int status, const base::Error& error,
                    const codec::Head* head) {
  loop::Loop& loop = context.worker.loop();
  codec::HeadPtr response = context.heads.take();
  response->set_status(status, status_phrase(status));
  worker::Slice page;
  if (head != nullptr && is_grpc(*head)) {
    become_grpc_reply(*response, false);
  } else {
    page = make_page(context.worker.buffers(), status, head, *response);
  }
  if (context.live->settings.server_header) response->add("Server", "weir");
  response->add("Date", context.local.date.at(loop.now(), loop.clock()));

  observe::ExchangeRecord record;
  record.started = loop.now();
  record.status = status;
  record.error = error.text;
  record.response_body_bytes = page.size();
  record.response_bytes = page.size() + response->bytes();
  add_client(record, client);
  if (head != nullptr) {
    add_request(record, *head);
    record.request_bytes = head->bytes();
  }
  context.recorder.record(record);
  stream.send_head(*response, codec::BodyLength::known(page.size()));
  if (page.empty()) return;
  stream.send_data(std::move(page));
  stream.send_end();
}

}  // namespace weir::exchange
