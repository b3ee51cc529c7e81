#pragma once

#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace weir::weirctl {

// Where the metrics of one dataplane are read, again and again.
class MetricsFetch {
 public:
  virtual ~MetricsFetch() = default;
  // errors: nobody answers, another status than 200, kTimeout.
  virtual base::Result<std::string> fetch() = 0;
};

// url: "http://HOST:PORT", the dataplane's admin port.
//   errors: kInvalid naming the accepted form.
base::Result<std::unique_ptr<MetricsFetch>> metrics_of_url(const std::string& url,
                                                           base::Duration patience);
// pod: "NAMESPACE/NAME" or "NAMESPACE/NAME:PORT", asked through the API server's proxy.
//   errors: those of user_access(); kInvalid naming the accepted form.
base::Result<std::unique_ptr<MetricsFetch>> metrics_of_pod(const std::string& pod,
                                                           const std::string& kubeconfig,
                                                           const std::string& context,
                                                           base::Duration patience);

}  // namespace weir::weirctl
