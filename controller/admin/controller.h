#pragma once

#include <memory>
#include <string>

#include "common/loop/loop.h"
#include "controller/admin/options.h"
#include "controller/admin/server.h"
#include "controller/ingress/translator.h"
#include "controller/kubernetes/source.h"
#include "controller/peers/peers.h"
#include "controller/publish/pipeline.h"
#include "controller/publish/session.h"
#include "controller/status/report_log.h"
#include "controller/status/status.h"

namespace weir::admin {

// The whole controller, wired: source -> pipeline -> session, with status, report log and admin
// port beside it. One loop thread.
class Controller final : private publish::PipelineTarget,
                         private publish::SessionTarget,
                         private AdminTarget {
 public:
  // loop: borrowed for the controller's life. source, translator: owned. status: null without a
  // cluster.
  Controller(loop::Loop& loop, const Options& options, std::unique_ptr<kubernetes::Source> source,
             std::unique_ptr<ingress::IngressTranslator> translator,
             std::unique_ptr<status::Status> status);
  ~Controller() override;

  // errors: the admin port is taken.
  base::Result<void> start();
  void stop();  // gives the lease back; the caller has left the loop
  const publish::Pipeline& pipeline() const { return pipeline_; }
  // Whether this replica writes what all share; without a leader each may try.
  bool leads() const { return status_ == nullptr || status_->is_leader(); }

 private:
  void on_changes(const translate::Engine::Changes& changes) override;
  void on_synced() override;
  void on_translated() override;
  void on_applied(const std::vector<model::ResourceKey>& keys) override;
  void on_refused(const std::vector<wire::Reason>& reasons) override;
  std::string readiness() const override;
  std::string metrics() const override;
  std::string reports() const override;
  void want_published_service();
  void renew_default_certificate();
  void rotate_ticket_keys();

  loop::Loop& loop_;
  const Options options_;
  std::unique_ptr<kubernetes::Source> source_;
  std::unique_ptr<ingress::IngressTranslator> translator_;
  std::unique_ptr<status::Status> status_;
  publish::Pipeline pipeline_;
  publish::Session session_;
  peers::Peers peers_;
  status::ReportLog report_log_;
  AdminServer admin_;
  loop::Timer renewal_;
  loop::Timer rotation_;
  base::TimePoint changed_at_{};
  std::uint64_t applied_ = 0;  // transactions acknowledged
};

}  // namespace weir::admin
