#include "dataplane/admin/admin.h"

namespace weir::admin {

Admin::Admin(Parts parts)
    : parts_(std::move(parts)), worker_(parts_.index, budget_, parts_.offload) {
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
  thread_ = std::thread([this] { run(); });
}

Admin::~Admin() {
  worker_.loop().stop();
  thread_.join();
}

void Admin::run() {
  Door tcp(worker_, public_pages_, std::move(parts_.tcp));
  std::unique_ptr<Door> dump;
  if (parts_.dump.valid()) {
    dump = std::make_unique<Door>(worker_, dump_pages_, std::move(parts_.dump));
  }
  worker_.loop().run();
}

}  // namespace weir::admin
