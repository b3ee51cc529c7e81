#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/loop/loop.h"
#include "controller/kubernetes/source.h"
#include "controller/peers/ack_book.h"
#include "controller/peers/ack_client.h"
#include "controller/peers/ack_server.h"
#include "controller/peers/identity.h"
#include "controller/peers/ready_replicas.h"
#include "controller/publish/pipeline.h"
#include "controller/publish/session.h"

namespace weir::peers {

struct Settings {
  Place place;  // without a service the channel is off: this replica counts alone
  base::Duration patience = std::chrono::seconds(30);  // see AckBook
  AckClient::Timings client;
  bool on() const { return !place.service.empty(); }
};

// Whether all replicas serve what this one does. Each tells the others what its dataplane has
// acknowledged (AckServer); the leader listens to all that are ready (AckClient) and keeps the book
// that status asks. Trust comes from the Secret that has the Service's name (Identity).
//
// Everything is borrowed for the object's life. One loop thread; nothing blocks.
class Peers final : public status::Replicas, private AckClientTarget {
 public:
  struct Around {
    kubernetes::Source& source;
    const publish::Pipeline& pipeline;
    const publish::Session& session;
  };
  // leads: whether this replica writes status. on_moved: programmed() may answer otherwise now.
  Peers(loop::Loop& loop, Settings settings, Around around, base::UniqueFunction<bool()> leads,
        base::UniqueFunction<void()> on_moved);
  ~Peers() override;

  // After the source has been started. errors: the port is taken.
  base::Result<void> start();
  // The pipeline has translated all that came; the dataplane has acknowledged something (of which
  // the caller tells the status itself).
  void on_translated();
  void on_applied();

  status::Programmed programmed(const store::ObjectKey& object,
                                const std::string& version) const override;

  // Those that are waited for; of a replica that does not lead, none.
  std::vector<AckBook::PeerState> states() const { return book_.peers(); }
  // For people: what holds things back, a line each; empty: nothing.
  std::string text() const;
  std::uint16_t port() const { return server_.port(); }

 private:
  void tick();
  void settle();
  void moved();
  void take_identity();
  void follow_replicas();
  void tell_overdue();
  void on_acks(const std::string& address, Acks acks) override;
  void on_silence(const std::string& address) override { book_.lost(address); }

  loop::Loop& loop_;
  const Settings settings_;
  const Around around_;
  base::UniqueFunction<bool()> leads_;
  base::UniqueFunction<void()> on_moved_;
  AckBook book_;
  Identity identity_;
  AckServer server_;
  std::map<std::string, std::unique_ptr<AckClient>> clients_;  // by address; only of a leader
  bool following_ = false;                                     // clients_ is what it should be
  std::set<std::string> told_;                                 // names that are overdue, in the log
  loop::Timer tick_;
  loop::Timer tell_;
  loop::Timer say_;
};

}  // namespace weir::peers
