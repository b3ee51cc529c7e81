#include "controller/peers/ack_book.h"

#include <algorithm>
#include <utility>

#include "controller/kubernetes/version.h"
#include "controller/store/store.h"

namespace weir::peers {
namespace {

constexpr std::size_t kNamed = 3;  // peers in a text for people

using status::Programmed;

// What acks say of "kind/namespace": of that namespace alone, or of all. Null: nothing.
const std::string* version_of(const Acks& acks, std::string_view scope) {
  auto found = acks.find(scope);
  if (found == acks.end()) found = acks.find(scope.substr(0, scope.find('/')));
  return found == acks.end() ? nullptr : &found->second;
}

std::string scope_of(const store::ObjectKey& object) {
  return std::string(store::row(object.kind).descriptor.kind) + "/" + object.ns;
}

bool covers(const Acks& acks, std::string_view scope, const std::string& version) {
  const std::string* const have = version_of(acks, scope);
  return have != nullptr && kubernetes::reaches(*have, version);
}

bool covers_all(const Acks& acks, const Acks& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&acks](const auto& one) {
    return !kubernetes::is_version(one.second) || covers(acks, one.first, one.second);
  });
}

std::string named(const std::vector<const std::string*>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kNamed; ++i) {
    if (i > 0) out += ", ";
    out += *names[i];
  }
  if (names.size() > kNamed) out += " and " + std::to_string(names.size() - kNamed) + " more";
  return out;
}

}  // namespace

AckBook::AckBook(const base::Clock& clock, base::Duration patience)
    : clock_(clock), patience_(patience) {}

void AckBook::translated(std::uint64_t mark, std::uint64_t begun,
                         const kubernetes::Positions& positions) {
  // What neither the transaction that runs nor the newest state covers is no step of its own: the
  // next transaction takes both.
  if (latest_.mark != 0 && latest_.mark <= begun && mark > begun) running_ = std::move(latest_);
  latest_ = Seen{.mark = mark, .acks = {}, .newest = {}};
  for (const auto& [kind, position] : positions) {
    if (!position.seen.empty()) latest_.acks[kind] = position.seen;
    if (!position.newest.empty()) latest_.newest[kind] = position.newest;
  }
}

bool AckBook::settle(std::uint64_t reached) {
  if (reached == 0) {
    own_.clear();
    running_.reset();
    return std::exchange(in_step_, false);
  }
  if (latest_.mark != 0 && latest_.mark <= reached) {
    running_.reset();  // older than this: own() never goes back
    return acknowledge(latest_);
  }
  return running_.has_value() && running_->mark <= reached && acknowledge(*running_);
}

bool AckBook::acknowledge(const Seen& seen) {
  if (in_step_ && own_ == seen.acks && own_newest_ == seen.newest) return false;
  in_step_ = true;
  own_ = seen.acks;
  own_newest_ = seen.newest;
  if (history_.empty()) history_.push_back({clock_.now(), own_newest_});
  return true;
}

void AckBook::set_peers(const std::map<std::string, std::string>& names) {
  std::erase_if(peers_, [&names](const auto& one) { return !names.contains(one.first); });
  for (const auto& [address, name] : names) {
    const auto [at, is_new] = peers_.try_emplace(address);
    at->second.name = name;
    if (is_new) at->second.since = clock_.now();
  }
}

bool AckBook::heard(const std::string& address, Acks acks) {
  const auto found = peers_.find(address);
  if (found == peers_.end()) return false;
  const bool is_new = std::exchange(found->second.silent, false) || found->second.acks != acks;
  found->second.acks = std::move(acks);
  return is_new;
}

void AckBook::lost(const std::string& address) {
  const auto found = peers_.find(address);
  if (found != peers_.end()) found->second.silent = true;
}

Programmed AckBook::programmed(const store::ObjectKey& object, const std::string& version) const {
  // No watch that has versions: there is nothing to compare with.
  const std::string scope = scope_of(object);
  if (!kubernetes::is_version(version) || version_of(latest_.acks, scope) == nullptr) return {};
  if (!covers(own_, scope, version)) return {Programmed::State::kWaiting, "this replica"};
  std::vector<const std::string*> missing;
  bool all_overdue = true;
  for (const auto& [address, peer] : peers_) {
    if (covers(peer.acks, scope, version)) continue;
    missing.push_back(&peer.name);
    all_overdue = all_overdue && overdue(peer, scope, version);
  }
  if (missing.empty()) return {};
  return {all_overdue ? Programmed::State::kOverdue : Programmed::State::kWaiting, named(missing)};
}

// Since when this replica itself has the version is known by the second, from history.
bool AckBook::overdue(const Peer& peer, std::string_view scope, const std::string& version) const {
  const base::TimePoint limit = clock_.now() - patience_;
  return peer.since <= limit && !history_.empty() && history_.front().at <= limit &&
         covers(history_.front().newest, scope, version);
}

void AckBook::tick() {
  const base::TimePoint now = clock_.now();
  if (!history_.empty() && history_.back().newest != own_newest_)
    history_.push_back({now, own_newest_});
  while (history_.size() > 1 && history_[1].at <= now - patience_) history_.pop_front();
  for (auto& [address, peer] : peers_) peer.behind_since = behind_since(peer);
}

// The oldest moment that the peer has not reached; what has left history stays where it was.
std::optional<base::TimePoint> AckBook::behind_since(const Peer& peer) const {
  for (const Moment& moment : history_) {
    if (covers_all(peer.acks, moment.newest)) continue;
    const base::TimePoint since = std::max(moment.at, peer.since);
    const bool is_oldest = &moment == &history_.front();
    return is_oldest ? std::min(peer.behind_since.value_or(since), since) : since;
  }
  return std::nullopt;
}

std::vector<AckBook::PeerState> AckBook::peers() const {
  std::vector<PeerState> out;
  for (const auto& [address, peer] : peers_) {
    PeerState state{.name = peer.name, .silent = peer.silent};
    if (peer.behind_since.has_value()) state.behind = clock_.now() - *peer.behind_since;
    state.overdue = state.behind >= patience_;
    out.push_back(std::move(state));
  }
  return out;
}

}  // namespace weir::peers
