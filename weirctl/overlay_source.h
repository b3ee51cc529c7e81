#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <unordered_map>

#include "controller/kubernetes/source.h"

namespace weir::weirctl {

// The objects of a base with those of a second source over them, as if these had been applied: an
// object of both is the second's, with the time at which the base's was made; one of the second
// alone counts as made now. The base is read first. One loop thread.
class OverlaySource final : public kubernetes::Source {
 public:
  // Borrowed for the object's life. now: seconds since the epoch.
  OverlaySource(kubernetes::Source& base, kubernetes::Source& over, std::int64_t now);

  void start(const std::vector<kubernetes::KindDescriptor>& kinds,
             kubernetes::SourceTarget& target) override;
  void want(const kubernetes::KindDescriptor& kind, std::string_view ns,
            std::string_view name) override;
  void unwant(const kubernetes::KindDescriptor& kind, std::string_view ns,
              std::string_view name) override;
  double seconds_since_contact() const override { return base_.seconds_since_contact(); }

 private:
  // One of the two, as it reports here.
  class Side final : public kubernetes::SourceTarget {
   public:
    Side(OverlaySource& whole, bool over) : whole_(whole), over_(over) {}
    void on_object(const kubernetes::KindDescriptor& kind, base::Json object) override;
    void on_removed(const kubernetes::KindDescriptor& kind, std::string_view ns,
                    std::string_view name) override;
    void on_synced(const kubernetes::KindDescriptor& kind) override;
    void on_problem(const kubernetes::KindDescriptor* kind, std::string_view object,
                    const base::Error& error) override;

   private:
    OverlaySource& whole_;
    const bool over_;
  };
  friend class Side;

  void take_over(const kubernetes::KindDescriptor& kind, base::Json object);

  kubernetes::Source& base_;
  kubernetes::Source& over_;
  const std::int64_t now_;
  Side base_side_{*this, false};
  Side over_side_{*this, true};
  const std::vector<kubernetes::KindDescriptor>* kinds_ = nullptr;
  kubernetes::SourceTarget* target_ = nullptr;
  std::size_t synced_ = 0;                             // kinds of the base
  std::unordered_map<std::string, std::string> made_;  // of the base's objects: creationTimestamp
  std::set<std::string> covered_;                      // objects of the second
};

}  // namespace weir::weirctl
