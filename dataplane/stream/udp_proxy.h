#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/base/fd.h"
#include "common/model/stream.h"
#include "dataplane/exchange/service.h"
#include "dataplane/stream/choice.h"

namespace weir::stream {

// One UDP socket of one listener on one worker. What one client address and port sends is a flow:
// it has an endpoint and a connected socket of its own, so that answers find their way back. The
// kernel gives all datagrams of a client to the same one of the workers' SO_REUSEPORT sockets.
//
// A flow ends when each of its datagrams has had the answers that the rule expects, when it is
// idle, or when the table is full and it is the one that was idle for longest. Datagrams are never
// kept: what a full socket does not take is lost, as UDP allows. One thread.
class UdpProxy final : public loop::IoHandler, public loop::TimerTarget {
 public:
  static constexpr std::size_t kMostFlows = 4'096;

  // context, choice: borrowed. listener: looked up in the live snapshot for each new flow.
  UdpProxy(exchange::ExchangeContext& context, Choice& choice, std::string listener,
           base::UniqueFd socket, std::size_t most_flows = kMostFlows);
  ~UdpProxy() override;
  UdpProxy(const UdpProxy&) = delete;
  UdpProxy& operator=(const UdpProxy&) = delete;

  void start_drain() { draining_ = true; }  // no new flow begins
  std::size_t flows() const { return flows_.size(); }

  void on_io(std::uint32_t events) override;
  void on_timer() override;

 private:
  struct Flow;
  struct Datagram;
  using Flows = std::unordered_map<std::string, std::unique_ptr<Flow>>;

  std::size_t receive();
  void take(const Datagram& datagram);
  Flow* open(const Datagram& datagram, const std::string& key);
  base::Result<base::UniqueFd> connect(const upstream::Endpoint& endpoint);
  void read_answers(Flow& flow);
  bool pass_answer(Flow& flow, std::size_t bytes);
  void touch(Flow& flow);
  void end(Flow& flow, std::string_view why);
  void record(const Flow& flow, std::string_view why);
  void watch();

  exchange::ExchangeContext& context_;
  Choice& choice_;
  observe::StreamCounters& counters_;
  const std::string listener_;
  const base::UniqueFd socket_;
  const std::size_t most_flows_;
  loop::IoToken token_;
  Flows flows_;             // by the two addresses
  std::list<Flow*> order_;  // the longest idle first
  base::Duration idle_timeout_{};
  loop::Timer timer_;
  bool draining_ = false;
};

}  // namespace weir::stream
