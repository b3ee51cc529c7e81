#include "dataplane/upstream/balancer.h"

#include <algorithm>

namespace weir::upstream {
namespace {

constexpr std::uint32_t kWholeScale = 100;
constexpr std::uint32_t kLeastScale = 10;
// The own zone keeps all of its traffic while it has this share of its endpoints: 1 / 1.4.
constexpr double kOverProvision = 1.4;
constexpr base::Duration kLeastStep = std::chrono::milliseconds(50);

bool by_key_only(model::Balance policy) { return policy >= model::Balance::kMaglev; }

}  // namespace

void Balancer::sync(const Cluster& cluster, std::vector<Seat*> seats) {
  const model::Balance policy = cluster.settings.balance.policy;
  if (cluster_ == nullptr || policy != policy_) {
    for (Tier& tier : tiers_) tier.policy = make_policy(policy, worker_);
  }
  policy_ = policy;
  cluster_ = &cluster;
  seats_ = std::move(seats);
  review_at_ = base::TimePoint::min();
}

Balancer::Pick Balancer::pick(const PickNeeds& needs, base::TimePoint now) {
  // A trial that another worker was quicker to claim makes one more look necessary.
  for (int look = 0;; ++look) {
    const Home* home = seats_.empty() ? nullptr : seats_.front()->home;
    if (home == nullptr) return {};
    if (now >= review_at_ || home->state->changes.load(std::memory_order_acquire) != seen_) {
      review(now);
    }
    Pick pick;
    if (by_key_only(policy_) && !needs.key.empty()) pick = by_key(needs);
    if (pick.seat == nullptr) pick.seat = from_tiers(needs, now);
    if (pick.seat == nullptr || !pick.seat->trial || look > 1) return pick;
    if (pick.seat->state->claim_trial(home->ejection, now)) {
      pick.seat->trial = false;
      home->state->changed();
      return pick;
    }
    review_at_ = now;
  }
}

void Balancer::review(base::TimePoint now) {
  seen_ = seats_.front()->home->state->changes.load(std::memory_order_acquire);
  review_at_ = base::TimePoint::max();
  judge(now);
  fill_tiers(now);
  weigh_zones();
}

// Who is in. When nobody would be, everybody is: refusing all requests helps no one.
void Balancer::judge(base::TimePoint now) {
  std::vector<Seat*> ejected;
  for (Seat* seat : seats_) {
    const bool out = seat->state->ejected(now);
    seat->in = seat->state->healthy() && !out;
    seat->trial = seat->in && seat->state->on_trial(seat->home->ejection);
    if (!out || !seat->state->healthy()) continue;
    ejected.push_back(seat);
    review_at_ = std::min(review_at_, seat->state->ejected_until());
  }
  bound_ejections(ejected);
  panic_ = std::none_of(seats_.begin(), seats_.end(), [](const Seat* seat) { return seat->in; });
  for (Seat* seat : seats_) seat->in = seat->in || panic_;
}

// Of too many ejected ones those come in that would be back soonest.
void Balancer::bound_ejections(std::vector<Seat*>& ejected) {
  const std::size_t most = seats_.size() * seats_.front()->home->ejection.max_percent / 100;
  if (ejected.size() <= most) return;
  std::sort(ejected.begin(), ejected.end(), [](const Seat* a, const Seat* b) {
    const auto left = a->state->ejected_until();
    const auto right = b->state->ejected_until();
    return left != right ? left > right : a->index < b->index;
  });
  for (std::size_t i = most; i < ejected.size(); ++i) ejected[i]->in = true;
}

// In percent of its weight.
std::uint32_t Balancer::scale_of(const Seat& seat, base::TimePoint now) {
  const base::Duration window = cluster_->settings.balance.slow_start;
  const base::TimePoint since = seat.state->warm_since();
  if (window == base::Duration::zero() || since == base::TimePoint() || now - since >= window) {
    return kWholeScale;
  }
  review_at_ = std::min(review_at_, now + std::max(window / 20, kLeastStep));
  const auto part = std::max(now - since, base::Duration::zero()) * kWholeScale / window;
  return std::max(kLeastScale, static_cast<std::uint32_t>(part));
}

void Balancer::fill_tiers(base::TimePoint now) {
  const bool zones = cluster_->settings.balance.prefer_zone;
  std::array<std::vector<Candidate>, 2> candidates;
  for (Tier& tier : tiers_) tier.members.clear();
  bool ramps = false;
  for (Seat* seat : seats_) {
    if (!seat->in) continue;
    const std::uint32_t scale = scale_of(*seat, now);
    ramps = ramps || scale != kWholeScale;
    const std::size_t tier = zones && !seat->local ? 1 : 0;
    tiers_[tier].members.push_back(seat->index);
    candidates[tier].push_back({seat->id, seat->weight * scale, seat});
  }
  for (std::size_t i = 0; i < tiers_.size(); ++i) {
    if (!ramps) {
      for (Candidate& one : candidates[i]) one.weight /= kWholeScale;
    }
    tiers_[i].policy->sync(candidates[i]);
  }
}

void Balancer::weigh_zones() {
  std::uint64_t all = 0;
  std::uint64_t in = 0;
  for (const Seat* seat : seats_) {
    if (!seat->local) continue;
    all += seat->weight;
    in += seat->in ? seat->weight : 0;
  }
  const double share = all == 0 ? 0 : static_cast<double>(in) / static_cast<double>(all);
  keep_ = tiers_[1].members.empty() ? 1 : std::min(1.0, kOverProvision * share);
}

Seat* Balancer::from_tier(Tier& tier, const PickNeeds& needs, base::TimePoint now) {
  const std::size_t at = tier.members.empty() ? Policy::kNone : tier.policy->pick(needs.avoid, now);
  return at == Policy::kNone ? nullptr : seats_[tier.members[at]];
}

Seat* Balancer::from_tiers(const PickNeeds& needs, base::TimePoint now) {
  std::size_t first = 0;
  if (keep_ < 1) {
    spill_ += 1 - keep_;
    if (spill_ >= 1) {
      spill_ -= 1;
      first = 1;
    }
  }
  Seat* seat = from_tier(tiers_[first], needs, now);
  if (seat != nullptr && (needs.avoid.empty() || !contains(needs.avoid, seat->id))) return seat;
  Seat* other = from_tier(tiers_[1 - first], needs, now);
  if (seat == nullptr) return other;
  return other != nullptr && !contains(needs.avoid, other->id) ? other : seat;
}

bool Balancer::takes(const Seat& seat, const PickNeeds& needs) const {
  if (needs.stay) return panic_ || seat.state->healthy();
  return seat.in && !contains(needs.avoid, seat.id);
}

Balancer::Pick Balancer::by_key(const PickNeeds& needs) {
  if (policy_ == model::Balance::kNamed) return by_name(needs);
  if (cluster_->places == nullptr || cluster_->places->size() == 0) return {};
  return policy_ == model::Balance::kKetamaSubset ? by_subset(needs) : by_places(needs);
}

Balancer::Pick Balancer::by_name(const PickNeeds& needs) {
  const std::vector<std::string>& names = cluster_->names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != needs.key) continue;
    return takes(*seats_[i], needs) ? Pick{seats_[i], true} : Pick{};
  }
  return {};
}

// The key's owner, else the next one on the circle that can take it.
Balancer::Pick Balancer::by_places(const PickNeeds& needs) {
  const Places& places = *cluster_->places;
  const std::size_t home = places.slot_of(needs.key);
  std::size_t slot = home;
  for (std::size_t i = 0; i < places.size(); ++i, slot = places.next(slot)) {
    Seat& seat = *seats_[places.owner(slot)];
    if (takes(seat, needs)) return {&seat, places.owner(slot) == places.owner(home)};
  }
  return {};
}

// Subsets are the endpoints in their order, cut in pieces of one size; the last takes its missing
// ones from the beginning (ingress-nginx's rule).
Balancer::Pick Balancer::by_subset(const PickNeeds& needs) {
  const Places& places = *cluster_->places;
  const std::size_t size = std::max(1U, cluster_->settings.balance.subset_size);
  const std::size_t begin = places.owner(places.slot_of(needs.key)) * size;
  const std::size_t from = random_() % size;
  for (std::size_t i = 0; i < size; ++i) {
    Seat& seat = *seats_[(begin + (from + i) % size) % seats_.size()];
    if (takes(seat, needs)) return {&seat, true};
  }
  return {};
}

}  // namespace weir::upstream
