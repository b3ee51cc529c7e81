#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "dataplane/codec/head.h"

namespace weir::exchange {

// What the exchange knows of gRPC (the project's "gRPC over HTTP2" and "HTTP to gRPC status"
// pages): how its clients want to be told of an error, and what they say of their deadline.

// True for application/grpc and application/grpc+anything; not for gRPC-Web.
bool is_grpc(const codec::Head& request);

// Of a reply that is made by ourselves: the status that stands for an HTTP status. deadline: the
// request ran out of its time.
int grpc_status_of(int http_status, bool deadline);

// Turns such a reply into a trailers-only response: HTTP 200 with grpc-status and grpc-message, no
// body. The record of the exchange keeps the HTTP status that it stands for.
void become_grpc_reply(codec::Head& response, bool deadline);

// The trailers that end a response which has begun.
void add_grpc_status(codec::Head& trailers, int status, std::string_view message);

// The grpc-timeout of a request, nanoseconds rounded up, at least a microsecond. Nothing without
// one, or with one that is malformed.
std::optional<std::chrono::microseconds> grpc_timeout(const codec::Head& request);

}  // namespace weir::exchange
