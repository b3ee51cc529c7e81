#include <cstdio>
#include <filesystem>

#include "weirctl/command.h"
#include "weirctl/plan.h"
#include "weirctl/sources.h"

namespace weir::weirctl {
namespace {

constexpr int kNothingLost = 0;
constexpr int kNoAnswer = 1;
constexpr int kLost = 2;

class PlanCommand final : public Command {
 public:
  void add_flags(base::Flags& flags) override {
    add_folder_flags(flags, place_);
    flags.add("against", against_, "cluster, or a folder")
        .offers({"cluster", base::Flags::kFolder});
    output_.add_flag(flags);
    add_cluster_flags(flags, place_);
  }

  int run() override {
    if (auto checked = output_.check(); !checked.ok()) return failed(checked.error().text);
    if (!std::filesystem::is_directory(place_.folder))
      return failed("-f '" + place_.folder + "' is not a folder");
    const bool cluster = against_ == "cluster";
    if (!cluster && !std::filesystem::is_directory(against_))
      return failed("--against '" + against_ + "': accepted: cluster or a folder");
    const auto before = cluster ? from_cluster(place_) : from_folder(place_, against_);
    if (!before.ok()) return failed(before.error().text);
    const auto after =
        cluster ? from_cluster(place_, place_.folder) : from_folder(place_, place_.folder);
    if (!after.ok()) return failed(after.error().text);
    const Plan plan = make_plan(before.value(), after.value());
    const std::string text = output_.json() ? plan.json.to_pretty_string() + "\n" : plan_text(plan);
    std::fputs(text.c_str(), stdout);
    return plan.loses ? kLost : kNothingLost;
  }
  int wrong_call() const override { return kNoAnswer; }

 private:
  static int failed(const std::string& text) {
    complain(text);
    return kNoAnswer;
  }

  Place place_;
  Output output_;
  std::string against_ = "cluster";
};

}  // namespace

std::unique_ptr<Command> make_plan_command(const Invocation&) {
  return std::make_unique<PlanCommand>();
}

}  // namespace weir::weirctl
