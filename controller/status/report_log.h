#pragma once

#include <map>
#include <set>

#include "controller/publish/pipeline.h"

namespace weir::status {

// Tells reports to the log: one line when a report appears, one when the last of an object is gone.
// One thread.
class ReportLog {
 public:
  void on_changes(const publish::Pipeline& pipeline, const std::set<store::ObjectKey>& changed);

 private:
  std::map<store::ObjectKey, std::set<translate::Report>> told_;
};

// One line for people: "spec.tls[0].secretName 'web': …".
std::string report_line(const translate::Report& report);

}  // namespace weir::status
