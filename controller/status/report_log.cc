#include "controller/status/report_log.h"

#include "common/base/log.h"

namespace weir::status {

std::string report_line(const translate::Report& report) {
  std::string out = report.field;
  if (!report.value.empty()) out += (out.empty() ? "'" : " '") + report.value + "'";
  return out.empty() ? report.text : out + ": " + report.text;
}

void ReportLog::on_changes(const publish::Pipeline& pipeline,
                           const std::set<store::ObjectKey>& changed) {
  for (const store::ObjectKey& object : changed) {
    const std::vector<translate::Report> now = pipeline.reports_of(object);
    std::set<translate::Report>& told = told_[object];
    for (const translate::Report& report : now) {
      if (told.contains(report)) continue;
      base::log_line(report.severity == translate::Severity::kWarning ? base::LogLevel::kWarn
                                                                      : base::LogLevel::kInfo,
                     "report",
                     {{"object", object.to_string()},
                      {"reason", report.reason},
                      {"field", report.field},
                      {"value", report.value},
                      {"text", report.text}});
    }
    if (now.empty()) {
      if (!told.empty()) base::log_info("no reports any more", {{"object", object.to_string()}});
      told_.erase(object);
    } else {
      told = std::set<translate::Report>(now.begin(), now.end());
    }
  }
}

}  // namespace weir::status
