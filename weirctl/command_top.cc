#include <unistd.h>

#include <cstdio>
#include <thread>

#include "common/base/text.h"
#include "weirctl/command.h"
#include "weirctl/metrics_fetch.h"
#include "weirctl/top.h"

namespace weir::weirctl {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr base::Duration kPatience = std::chrono::seconds(10);
constexpr const char* kClearScreen = "\x1b[H\x1b[2J";

class TopCommand final : public Command {
 public:
  void add_flags(base::Flags& flags) override {
    flags.add("admin", admin_, "URL of the dataplane's admin port")
        .add("pod", pod_, "NAMESPACE/NAME[:PORT] of a pod, asked through the API server")
        .add("kubeconfig", kubeconfig_, "with --pod: kubeconfig file")
        .offers({base::Flags::kFile})
        .add("context", context_, "with --pod: context of the kubeconfig")
        .add("interval", interval_, "time between two readings")
        .add("once", once_, "show one interval, then end")
        .add("sort", sort_, "requests, errors or latency")
        .offers({"requests", "errors", "latency"})
        .add("lines", lines_, "most routes shown; 0: all");
    output_.add_flag(flags);
  }

  int run() override {
    if (auto checked = check(); !checked.ok()) return complain(checked.error().text);
    auto fetch = pod_.empty() ? metrics_of_url(admin_, kPatience)
                              : metrics_of_pod(pod_, kubeconfig_, context_, kPatience);
    if (!fetch.ok()) return complain(fetch.error().text);
    return show(*fetch.value());
  }

 private:
  base::Result<void> check() {
    auto interval = base::parse_duration(interval_);
    if (!interval.ok()) return std::move(interval).error().within("--interval");
    period_ = interval.value();
    const std::pair<std::string_view, TopSort> words[] = {{"requests", TopSort::kRequests},
                                                          {"errors", TopSort::kErrors},
                                                          {"latency", TopSort::kLatency}};
    for (const auto& [word, order] : words) {
      if (sort_ != word) continue;
      order_ = order;
      return output_.check();
    }
    return base::invalid("--sort '" + sort_ + "': accepted: requests, errors or latency");
  }

  static base::Result<TopReading> reading_of(MetricsFetch& fetch) {
    auto text = fetch.fetch();
    if (!text.ok()) return std::move(text).error();
    return read_top(text.value());
  }

  int show(MetricsFetch& fetch) {
    auto before = reading_of(fetch);
    auto begin = SteadyClock::now();
    for (;;) {
      if (!before.ok()) return complain(before.error().text);
      std::this_thread::sleep_until(begin + period_);
      auto after = reading_of(fetch);
      const auto now = SteadyClock::now();
      if (!after.ok()) return complain(after.error().text);
      print(top_rows(before.value(), after.value(),
                     std::chrono::duration<double>(now - begin).count(), order_));
      if (once_ || std::ferror(stdout) != 0) return 0;
      before = std::move(after);
      begin = now;
    }
  }

  void print(const std::vector<TopRow>& rows) const {
    std::string out = !once_ && ::isatty(STDOUT_FILENO) == 1 ? kClearScreen : "";
    out += output_.json() ? top_json(rows, lines_).to_string() + "\n" : top_text(rows, lines_);
    std::fputs(out.c_str(), stdout);
    std::fflush(stdout);
  }

  std::string admin_ = "http://127.0.0.1:10254";
  std::string pod_, kubeconfig_, context_;
  std::string interval_ = "2s";
  std::string sort_ = "requests";
  bool once_ = false;
  std::uint32_t lines_ = 30;
  Output output_;
  std::chrono::milliseconds period_{};
  TopSort order_ = TopSort::kRequests;
};

}  // namespace

std::unique_ptr<Command> make_top(const Invocation&) { return std::make_unique<TopCommand>(); }

}  // namespace weir::weirctl
