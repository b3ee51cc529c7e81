// weir-controller: watches the Kubernetes API (or a folder of manifests), translates, and tells the
// dataplane over a local socket.

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "common/base/log.h"
#include "controller/admin/controller.h"
#include "controller/kubernetes/folder_source.h"
#include "controller/publish/own_secrets.h"

namespace weir {
namespace {

// Ends the loop on SIGTERM and SIGINT.
class StopOnSignal final : public loop::IoHandler {
 public:
  explicit StopOnSignal(loop::Loop& loop) : loop_(loop) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    fd_ = base::UniqueFd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    token_ = loop_.add(fd_.get(), *this, EPOLLIN);
  }
  ~StopOnSignal() override { loop_.remove(token_); }

 private:
  void on_io(std::uint32_t) override { loop_.stop(); }

  loop::Loop& loop_;
  base::UniqueFd fd_;
  loop::IoToken token_;
};

int fail(const base::Error& error) {
  std::fprintf(stderr, "weir-controller: %s\n", error.text.c_str());
  return 2;
}

base::Result<std::unique_ptr<ingress::IngressTranslator>> make_translator(
    const admin::Options& options) {
  auto config = admin::ingress_config(options);
  if (!config.ok()) return std::move(config).error();
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                       base::system_clock().wall_now().time_since_epoch())
                       .count();
  auto certificate = publish::make_default_certificate(now);
  if (!certificate.ok()) return std::move(certificate).error();
  config.value().default_certificate = certificate.value();
  config.value().ticket_keys = publish::make_ticket_keys();
  return std::make_unique<ingress::IngressTranslator>(std::move(config).value());
}

int run(const admin::Options& options) {
  auto translator = make_translator(options);
  if (!translator.ok()) return fail(translator.error());
  loop::Loop loop;
  const StopOnSignal stop(loop);
  auto source = std::make_unique<kubernetes::FolderSource>(loop, options.manifests);
  admin::Controller controller(loop, options, std::move(source), std::move(translator).value(),
                               nullptr);
  if (auto started = controller.start(); !started.ok()) return fail(started.error());
  loop.run();
  base::log_info("stopped");
  return 0;
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  weir::admin::Options options;
  weir::base::Flags flags(
      "weir-controller",
      "Weir's controller: Kubernetes objects in, routing tables and certificates out");
  weir::admin::add_flags(flags, options);
  const auto parsed = flags.parse(std::vector<std::string>(argv + 1, argv + argc));
  if (!parsed.ok()) return weir::fail(parsed.error());
  if (parsed.value() == weir::base::Flags::Outcome::kShownHelp) return 0;
  weir::base::LogLevel level{};
  if (!weir::base::parse_log_level(options.log_level, level)) {
    return weir::fail(weir::base::invalid("--log-level '" + options.log_level +
                                          "': accepted: debug, info, warn, error"));
  }
  weir::base::log_start("controller", level);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::signal(SIGPIPE, SIG_IGN);
  return weir::run(options);
}
