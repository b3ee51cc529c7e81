#include "common/features/grpc_web.h"

#include "controller/annotations/reader.h"

// gRPC-Web requests become gRPC towards the backend.

namespace weir::annotations {
namespace {

void translate_grpc_web(const FeatureInput& input, FeatureOutput& out) {
  if (read_bool(input, "grpc-web", false, out)) {
    out.policies.push_back(make_policy_of(features::GrpcWeb{}));
  }
}

}  // namespace

extern const Feature kGrpcWeb;
const Feature kGrpcWeb = {
    features::GrpcWeb::kStem,
    {{.key = "grpc-web",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "true or false (false)",
      .help = "Translates gRPC-Web requests of browsers to gRPC, and the responses back.",
      .ours = true}},
    translate_grpc_web};

}  // namespace weir::annotations
