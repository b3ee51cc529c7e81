// weir-controller: watches the Kubernetes API (or a folder of manifests), translates, and tells the
// dataplane over a local socket.

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "common/base/log.h"
#include "common/crypto/certificate.h"
#include "controller/admin/controller.h"
#include "controller/guard/guard.h"
#include "controller/ingress/ticket_keys.h"
#include "controller/kubernetes/api_client.h"
#include "controller/kubernetes/api_source.h"
#include "controller/kubernetes/config.h"
#include "controller/kubernetes/folder_source.h"
#include "controller/peers/authority_ring.h"
#include "controller/peers/writers.h"
#include "controller/publish/own_secrets.h"
#include "controller/status/cluster_status.h"
#include "controller/status/lease_authority.h"

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

// Who we are in the Lease: the pod's name, else the host's.
std::string identity(const admin::Options& options) {
  if (!options.pod_name.empty()) return options.pod_name;
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return host.data();
}

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
  config.value().own_tickets = ingress::make_ticket_ring(now);
  return std::make_unique<ingress::IngressTranslator>(std::move(config).value());
}

// How to reach the cluster: --apiserver-host alone, a kubeconfig, or the pod's own account.
base::Result<kubernetes::ClusterAccess> cluster_access(const admin::Options& options) {
  auto access = options.kubeconfig.empty()
                    ? kubernetes::in_cluster_access(kubernetes::process_environment())
                    : kubernetes::kubeconfig_access(options.kubeconfig, options.context);
  if (!access.ok()) return access;
  if (!options.api_server.empty()) access.value().server = options.api_server;
  if (auto loaded = kubernetes::load_credentials(access.value()); !loaded.ok())
    return std::move(loaded).error();
  return access;
}

int serve(loop::Loop& loop, admin::Controller& controller) {
  if (auto started = controller.start(); !started.ok()) return fail(started.error());
  const guard::SignOfLife sign(loop);
  loop.run();
  controller.stop();
  base::log_info("stopped");
  return 0;
}

int run_on_folder(const admin::Options& options,
                  std::unique_ptr<ingress::IngressTranslator> translator) {
  loop::Loop loop;
  const StopOnSignal stop(loop);
  auto source = std::make_unique<kubernetes::FolderSource>(loop, options.manifests);
  admin::Controller controller(loop, options, std::move(source), std::move(translator), nullptr);
  return serve(loop, controller);
}

// Who writes the Secrets that replicas share.
std::vector<std::unique_ptr<peers::SecretWriter>> shared_secrets(
    kubernetes::ApiClient& client, const admin::Options& options, std::chrono::seconds period,
    const admin::Controller& controller) {
  std::vector<std::unique_ptr<peers::SecretWriter>> out;
  const store::Store& store = controller.pipeline().store();
  const auto leads = [&controller] { return controller.leads(); };
  const ingress::NamePair tickets = ingress::split_name(options.ticket_keys_secret);
  if (!tickets.name.empty())
    out.push_back(
        peers::make_ticket_writer(client, {tickets.ns, tickets.name, period}, store, leads));
  const ingress::NamePair trust = ingress::split_name(options.peers.service);
  if (!trust.name.empty())
    out.push_back(peers::make_authority_writer(
        client, {trust.ns, trust.name, peers::kAuthorityPeriod}, store, leads));
  return out;
}

int run_on_cluster(const admin::Options& options,
                   std::unique_ptr<ingress::IngressTranslator> translator) {
  auto access = cluster_access(options);
  if (!access.ok()) return fail(access.error());
  loop::Loop loop;
  const StopOnSignal stop(loop);
  const std::string lease_ns =
      options.pod_namespace.empty() ? access.value().ns : options.pod_namespace;
  kubernetes::ApiClient client(loop, std::move(access).value(), "weir-controller/0.1.0");
  auto source = std::make_unique<kubernetes::ApiSource>(client, options.watch_namespaces);
  const ingress::NamePair peers_service = ingress::split_name(options.peers.service);
  if (!peers_service.name.empty()) source->also_watch("EndpointSlice", peers_service.ns);
  std::unique_ptr<status::Status> status;
  if (!options.no_update_status) {
    status = std::make_unique<status::ClusterStatus>(
        loop, client,
        status::AddressSource{options.publish_service, options.publish_status_address},
        status::make_lease_authority(client, {lease_ns, options.election_id, identity(options)}));
  }
  const std::chrono::seconds period = translator->config().ticket_period;
  admin::Controller controller(loop, options, std::move(source), std::move(translator),
                               std::move(status));
  const auto writers = shared_secrets(client, options, period, controller);
  return serve(loop, controller);
}

int run(const admin::Options& options) {
  auto translator = make_translator(options);
  if (!translator.ok()) return fail(translator.error());
  return options.manifests.empty() ? run_on_cluster(options, std::move(translator).value())
                                   : run_on_folder(options, std::move(translator).value());
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  weir::admin::Options options;
  weir::base::Flags flags(
      "weir-controller",
      "Weir's controller: Kubernetes objects in, routing tables and certificates out");
  weir::admin::add_flags(flags, options);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto parsed = flags.parse(arguments);
  if (!parsed.ok()) return weir::fail(parsed.error());
  if (parsed.value() == weir::base::Flags::Outcome::kShownHelp) return 0;
  weir::base::LogLevel level{};
  if (!weir::base::parse_log_level(options.log_level, level)) {
    return weir::fail(weir::base::invalid("--log-level '" + options.log_level +
                                          "': accepted: debug, info, warn, error"));
  }
  weir::base::log_start("controller", level);
  if (options.guard && !weir::guard::is_guarded()) {
    weir::guard::Options guard{.command = {"/proc/self/exe"}};
    guard.command.insert(guard.command.end(), arguments.begin(), arguments.end());
    return weir::guard::run(guard);
  }
  ::prctl(PR_SET_DUMPABLE, 0);
  ::signal(SIGPIPE, SIG_IGN);
  return weir::run(options);
}
