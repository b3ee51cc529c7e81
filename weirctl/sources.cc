#include "weirctl/sources.h"

#include <unistd.h>

#include "common/base/text.h"
#include "controller/ingress/translator.h"
#include "controller/kubernetes/api_source.h"
#include "controller/kubernetes/folder_source.h"
#include "weirctl/controller_flags.h"
#include "weirctl/overlay_source.h"
#include "weirctl/unix_socket.h"

namespace weir::weirctl {
namespace {

// Stops the loop once the first state has been built.
class UntilSynced final : public publish::PipelineTarget {
 public:
  explicit UntilSynced(loop::Loop& loop) : loop_(loop) {}
  void on_changes(const translate::Engine::Changes&) override {}
  void on_synced() override {
    synced_ = true;
    loop_.stop();
  }
  bool synced() const { return synced_; }

 private:
  loop::Loop& loop_;
  bool synced_ = false;
};

base::Result<Configuration> translate_all(loop::Loop& loop, kubernetes::Source& source,
                                          const admin::Options& options, base::Duration patience) {
  auto config = admin::ingress_config(options);
  if (!config.ok()) return std::move(config).error();
  const ingress::IngressTranslator translator(std::move(config).value());
  UntilSynced until(loop);
  publish::Pipeline pipeline(loop, source, {&translator}, until, {});
  loop::Timer end(loop.timers(), [&loop] { loop.stop(); });
  end.arm(loop.clock().now() + patience);
  pipeline.start();
  if (const auto settings = admin::settings_apart(options)) pipeline.follow(*settings);
  loop.run();
  if (until.synced()) return from_pipeline(pipeline);
  std::string text = "not read in time";
  for (const auto& [where, problem] : pipeline.source_problems())
    text += "; " + where + ": " + problem;
  return base::Error{base::ErrorKind::kTimeout, base::Origin::kConfig, false, text};
}

base::Result<base::Duration> patience_of(const Place& place) {
  auto timeout = base::parse_duration(place.timeout);
  if (!timeout.ok()) return std::move(timeout).error().within("--timeout");
  return base::Duration(timeout.value());
}

base::Result<Configuration> from_socket(const std::string& socket) {
  auto dump = fetch_dump(socket);
  if (!dump.ok()) return std::move(dump).error();
  auto out = from_dump(dump.value());
  if (out.ok()) out.value().source = "dataplane behind " + socket;
  return out;
}

base::Result<Configuration> with_reason(base::Result<Configuration> out, const std::string& why) {
  if (out.ok()) out.value().why = why;
  return out;
}

}  // namespace

void add_folder_flags(base::Flags& flags, Place& place) {
  flags.add("file,f", place.folder, "folder of manifests")
      .offers({base::Flags::kFolder})
      .add("default-backend-service", place.default_backend_service,
           "with a folder: as the controller's flag")
      .add("settings", place.settings, "with a folder: as the controller's flag");
}

void add_cluster_flags(base::Flags& flags, Place& place) {
  flags.add("kubeconfig", place.kubeconfig, "kubeconfig file; empty: KUBECONFIG, ~/.kube/config")
      .offers({base::Flags::kFile})
      .add("context", place.context, "context of the kubeconfig; empty: its current one")
      .add(
          "controller", place.controller,
          "NAMESPACE/NAME of the Deployment or DaemonSet whose flags the translation takes; empty: "
          "the one with Weir's label; none: the defaults")
      .add("timeout", place.timeout, "longest wait for the answer");
}

base::Result<Configuration> from_folder(const admin::Options& options, base::Duration patience) {
  loop::Loop loop;
  kubernetes::FolderSource source(loop, options.manifests);
  auto out = translate_all(loop, source, options, patience);
  if (!out.ok()) return std::move(out).error().within("folder " + options.manifests);
  out.value().source = "folder " + options.manifests;
  return out;
}

base::Result<kubernetes::ClusterAccess> user_access(const std::string& kubeconfig,
                                                    const std::string& context) {
  const auto files = kubeconfig.empty()
                         ? kubernetes::kubeconfig_files(kubernetes::process_environment())
                         : std::vector<std::string>{kubeconfig};
  auto access = kubernetes::kubeconfig_access(files, context);
  if (!access.ok()) return access;
  if (auto loaded = kubernetes::load_credentials(access.value()); !loaded.ok())
    return std::move(loaded).error();
  return access;
}

base::Result<Configuration> from_folder(const Place& place, const std::string& folder) {
  admin::Options options;
  options.watch_ingress_without_class = true;
  options.ingress_class_by_name = true;
  options.manifests = folder;
  options.default_backend_service = place.default_backend_service;
  options.settings = place.settings;
  const auto patience = patience_of(place);
  if (!patience.ok()) return patience.error();
  return from_folder(options, patience.value());
}

base::Result<Configuration> from_cluster(const Place& place, const std::string& over) {
  const auto patience = patience_of(place);
  if (!patience.ok()) return patience.error();
  auto access = user_access(place.kubeconfig, place.context);
  if (!access.ok()) return std::move(access).error();
  const std::string name =
      "cluster " + access.value().server + " (context " + access.value().context + ")";
  loop::Loop loop;
  kubernetes::ApiClient client(loop, std::move(access).value(), "weirctl/0.1.0");
  auto flags = controller_flags(client, place.controller, patience.value());
  if (!flags.ok()) return std::move(flags).error().within(name);
  const admin::Options& options = flags.value().options;
  kubernetes::ApiSource source(client, options.watch_namespaces);
  std::unique_ptr<kubernetes::FolderSource> folder;
  std::unique_ptr<OverlaySource> overlay;
  if (!over.empty()) {
    folder = std::make_unique<kubernetes::FolderSource>(loop, over);
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
        loop.clock().wall_now().time_since_epoch());
    // Times of objects are whole seconds: later than whatever is there.
    overlay = std::make_unique<OverlaySource>(source, *folder, now.count() + 1);
  }
  kubernetes::Source& whole = over.empty() ? static_cast<kubernetes::Source&>(source) : *overlay;
  auto out = translate_all(loop, whole, options, patience.value());
  if (!out.ok()) return std::move(out).error().within(name);
  out.value().source = name + ", with " + flags.value().from;
  if (!over.empty()) out.value().source += ", and folder " + over + " applied";
  return out;
}

base::Result<Configuration> read_place(const Place& place, bool as_plugin) {
  if (!place.folder.empty()) {
    return with_reason(from_folder(place, place.folder), "-f names it");
  }
  if (!place.dump_socket.empty())
    return with_reason(from_socket(place.dump_socket), "--dump-socket names it");
  if (!place.context.empty() || !place.kubeconfig.empty())
    return with_reason(from_cluster(place),
                       place.context.empty() ? "--kubeconfig names it" : "--context names it");
  if (as_plugin) return with_reason(from_cluster(place), "kubectl's own cluster is meant");
  if (::access(kDumpSocket, F_OK) == 0)
    return with_reason(from_socket(kDumpSocket), "this machine has a dataplane");
  return with_reason(from_cluster(place), "no folder is named and no dataplane is on this machine");
}

}  // namespace weir::weirctl
