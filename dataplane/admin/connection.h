#pragma once

#include <list>
#include <memory>

#include "dataplane/admin/pages.h"
#include "dataplane/codec/codec.h"
#include "dataplane/transport/transport.h"
#include "dataplane/worker/worker.h"

namespace weir::admin {

class Connection;

// What the connections of one door share. Open connections stand in the order of their last
// finished request, the stalest first.
struct Home {
  worker::Worker& worker;
  Pages& pages;
  codec::HeadPool heads;
  codec::Limits limits{8'192, 64, 2'048};
  std::list<Connection*> open;
};

// One client of health, metrics or dump. A client that does not finish its request, or does not
// take its answer, is closed at a deadline that later bytes do not move. Owns itself.
class Connection final : public worker::Buried,
                         private transport::TransportTarget,
                         private codec::ByteStream,
                         private codec::ServerTarget,
                         private codec::MessageTarget,
                         private loop::TimerTarget {
 public:
  static constexpr std::chrono::seconds kRequest{5};  // first byte, or accept, to whole answer
  static constexpr std::chrono::seconds kIdle{90};    // longer than usual scrape intervals

  static void start(Home& home, std::unique_ptr<transport::Transport> transport);
  ~Connection() override = default;
  void close();

 private:
  Connection(Home& home, std::unique_ptr<transport::Transport> transport);
  void finish();

  void on_open() override {}
  void on_bytes(std::string_view bytes) override;
  void on_read_closed() override;
  void on_drained() override;
  void on_closed(const base::Error& error) override;

  void write(worker::Slice bytes) override { transport_->write(std::move(bytes)); }
  void pause_reading() override { transport_->pause_reading(); }
  void resume_reading() override { transport_->resume_reading(); }
  std::size_t queued() const override { return transport_->queued(); }

  codec::MessageTarget& on_request(codec::MessageStream& stream) override;
  void on_bad_request(codec::MessageStream& stream, int status, const base::Error& error,
                      const codec::Head* head) override;
  void on_session_end() override;

  void on_interim(codec::HeadPtr) override {}
  void on_head(codec::HeadPtr head, codec::BodyLength length) override;
  void on_data(worker::Slice) override {}
  void on_trailers(codec::HeadPtr) override {}
  void on_end() override {}
  void on_reset(const base::Error&) override {}
  void on_writable() override {}
  void on_timer() override;

  void send(codec::MessageStream& stream, const Page& page, bool with_body);

  Home& home_;
  std::unique_ptr<transport::Transport> transport_;
  std::unique_ptr<codec::ServerSession> session_;
  codec::MessageStream* stream_ = nullptr;  // of the request that is read
  loop::Timer timer_;
  std::list<Connection*>::iterator place_;
  bool idle_ = false;    // rests after a finished request
  bool served_ = false;  // at least one request was whole
  bool finished_ = false;
};

}  // namespace weir::admin
