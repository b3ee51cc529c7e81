#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/check.h"
#include "controller/kubernetes/json_items.h"
#include "controller/kubernetes/manifest_objects.h"

// Bytes of an API server and of a manifest file: any content, cut anywhere. The first byte chooses
// the cut. A list must give the same items and the same verdict however its bytes arrive.

namespace {

using namespace weir;

struct Outcome {
  std::string items;
  bool good = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read_list(std::string_view text, std::size_t piece) {
  Outcome out;
  kubernetes::ListCutter cutter([&out](base::Json item) { item.append_to(out.items); });
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (!cutter.feed(text.substr(at, piece))) return out;
  }
  out.good = cutter.finish().ok();
  return out;
}

Outcome read_events(std::string_view text, std::size_t piece) {
  Outcome out;
  kubernetes::EventCutter cutter([&out](base::Json event) { event.append_to(out.items); });
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (!cutter.feed(text.substr(at, piece))) return out;
  }
  out.good = cutter.at_boundary();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t piece = std::size_t{data[0]} + 1;
  WEIR_CHECK(read_list(text, piece) == read_list(text, size));
  WEIR_CHECK(read_events(text, piece) == read_events(text, size));
  static const std::vector<kubernetes::KindDescriptor> kinds = {{"Service", "", "v1", "services"},
                                                                {"Secret", "", "v1", "secrets"}};
  const kubernetes::KindTable table(kinds);
  (void)kubernetes::parse_manifest(text, false, table).ok();
  (void)kubernetes::parse_manifest(text, true, table).ok();
  return 0;
}
