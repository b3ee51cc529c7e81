#include "dataplane/admin/admin.h"

namespace weir::admin {

Admin::Admin(Parts parts) : parts_(std::move(parts)) {
  public_pages_.add(
      "/healthz", [](std::string_view) { return Page{200, "text/plain; charset=utf-8", "ok\n"}; });
  public_pages_.add("/readyz", [this](std::string_view) {
    return parts_.ready() ? Page{200, "text/plain; charset=utf-8", "ok\n"}
                          : Page{503, "text/plain; charset=utf-8", "not ready\n"};
  });
  public_pages_.add("/metrics", [this](std::string_view) {
    return Page{200, base::kMetricsContentType, base::render(parts_.metrics)};
  });
  dump_pages_.add("/dump", [this](std::string_view) {
    return Page{200, "application/json", parts_.dump_text()};
  });
  std::vector<PageThread::Served> served;
  served.push_back({public_pages_, std::move(parts_.tcp)});
  if (parts_.dump.valid()) served.push_back({dump_pages_, std::move(parts_.dump)});
  thread_.emplace(parts_.index, parts_.offload, std::move(served));
}

}  // namespace weir::admin
