#pragma once

#include <string_view>

#include "dataplane/codec/head.h"
#include "dataplane/worker/buffer.h"

namespace weir::exchange {

// Weir's own page for a status: one line of HTML, or of plain text for a client that does not
// accept HTML. It names the status and nothing else: no host, no cause, no version. Sets
// Content-Type. request: null when it could not be read.
worker::Slice make_page(worker::BufferPool& pool, int status, const codec::Head* request,
                        codec::Head& response);

// The phrase of a status that we answer ourselves; "Error" for others.
std::string_view status_phrase(int status);

}  // namespace weir::exchange
