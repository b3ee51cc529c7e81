#include "controller/store/field_reader.h"
#include "controller/store/parse.h"

// networking.k8s.io/v1 IngressClass: whose Ingresses a class names, and whether it is the default.

namespace weir::store {
namespace {

constexpr const char* kDefaultAnnotation = "ingressclass.kubernetes.io/is-default-class";

}  // namespace

base::Result<ObjectPtr> parse_ingress_class(const base::Json& item) {
  auto out = std::make_shared<IngressClass>();
  if (auto read = read_metadata(item, Kind::kIngressClass, *out); !read.ok())
    return std::move(read).error();
  const FieldAt spec{out->key, item["spec"], "spec"};
  const FieldAt controller = spec.child("controller");
  if (auto read = read_string(controller, out->controller); !read.ok())
    return std::move(read).error();
  if (out->controller.empty()) return controller.wrong("the name of a controller");
  const auto annotation = out->annotations.find(kDefaultAnnotation);
  out->is_default = annotation != out->annotations.end() && annotation->second == "true";
  return ObjectPtr(std::move(out));
}

}  // namespace weir::store
