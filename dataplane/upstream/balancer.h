#pragma once

#include <array>
#include <random>

#include "dataplane/upstream/policy.h"

namespace weir::upstream {

// What a request says about where it wants to go.
struct PickNeeds {
  std::string_view key = {};  // for clusters that hash; empty: takes turns
  // The key's own endpoint counts even when it has failed, here or for others (a session that is to
  // stay); only the active checks' verdict moves it.
  bool stay = false;
  Avoid avoid = {};  // ids of the endpoints that have failed for this request
};

// One worker's balancing of one cluster: which endpoints are in, in which zone to look, and then
// the policy. Reads shared state only when the cluster's counter of changes has moved, or when an
// ejection or a slow start goes on by time.
class Balancer {
 public:
  struct Pick {
    Seat* seat = nullptr;  // null: no endpoint
    bool exact = false;    // the key's own endpoint
  };

  explicit Balancer(unsigned worker) : worker_(worker), random_(worker + 1) {}

  // A new set. cluster: borrowed until the next call; seats: likewise, in the endpoints' order.
  void sync(const Cluster& cluster, std::vector<Seat*> seats);
  Pick pick(const PickNeeds& needs, base::TimePoint now);

 private:
  // Endpoints that are chosen from together: of the own zone, and the others.
  struct Tier {
    std::unique_ptr<Policy> policy;
    std::vector<std::uint32_t> members;  // indexes of seats, by the policy's index
  };

  void review(base::TimePoint now);
  void judge(base::TimePoint now);
  void bound_ejections(std::vector<Seat*>& ejected);
  void fill_tiers(base::TimePoint now);
  void weigh_zones();
  std::uint32_t scale_of(const Seat& seat, base::TimePoint now);
  Seat* from_tiers(const PickNeeds& needs, base::TimePoint now);
  Seat* from_tier(Tier& tier, const PickNeeds& needs, base::TimePoint now);
  Pick by_key(const PickNeeds& needs);
  Pick by_places(const PickNeeds& needs);
  Pick by_name(const PickNeeds& needs);
  Pick by_subset(const PickNeeds& needs);
  bool takes(const Seat& seat, const PickNeeds& needs) const;

  const unsigned worker_;
  const Cluster* cluster_ = nullptr;
  model::Balance policy_ = model::Balance::kRoundRobin;
  std::vector<Seat*> seats_;
  std::array<Tier, 2> tiers_;
  double keep_ = 1;   // share of the own zone
  double spill_ = 0;  // what is owed to the other zones
  bool panic_ = false;
  std::uint64_t seen_ = 0;  // ClusterState::changes
  base::TimePoint review_at_ = base::TimePoint::min();
  std::minstd_rand random_;
};

}  // namespace weir::upstream
