#include <cstdio>

#include "common/base/text.h"
#include "weirctl/command.h"
#include "weirctl/probe.h"

namespace weir::weirctl {
namespace {

class ProbeCommand final : public Command {
 public:
  void add_flags(base::Flags& flags) override {
    flags.add("host", o_.host, "Host field of the request; empty: the URL's")
        .add("status", o_.status, "the expected status")
        .add("gone", o_.gone, "wait until nobody accepts connections there")
        .add("wait", wait_, "how long to ask again; 0: once")
        .add("timeout", timeout_, "for one attempt")
        .positional("URL", words_, "http://HOST[:PORT]/PATH");
  }

  int run() override {
    if (words_.size() != 1) return complain("probe takes one URL: http://HOST[:PORT]/PATH");
    o_.url = words_[0];
    for (const auto& [text, into] :
         {std::pair(&wait_, &o_.wait), std::pair(&timeout_, &o_.timeout)}) {
      if (*text == "0") continue;
      const auto duration = base::parse_duration(*text);
      if (!duration.ok()) return complain(duration.error().text);
      *into = duration.value();
    }
    const auto answer = probe(o_);
    if (!answer.ok()) {
      complain(answer.error().text);
      return answer.error().kind == base::ErrorKind::kInvalid ? 2 : 1;
    }
    std::puts(answer.value().c_str());
    return 0;
  }

 private:
  ProbeOptions o_;
  std::string wait_ = "0";
  std::string timeout_ = "5s";
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_probe(const Invocation&) { return std::make_unique<ProbeCommand>(); }

}  // namespace weir::weirctl
