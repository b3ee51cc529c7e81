#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/codec/h1_chunked.h"
#include "dataplane/codec/h1_framing.h"
#include "dataplane/codec/h1_head_parser.h"
#include "dataplane/codec/h1_inbox.h"

namespace weir::codec {

// Reads one body, framed in any way, out of an inbox. Trailers are parsed as strictly as a head;
// what must not stand there is dropped (is_forbidden_trailer).
class BodyReader {
 public:
  enum class Event : std::uint8_t { kNeedMore, kData, kTrailers, kEnd, kBad };

  void start(const Framing& framing);
  // Drops framing bytes from the inbox and says what comes next. After kData the caller takes
  // data() bytes; after kTrailers take_trailers(); after kEnd or kBad it stops. A body until close
  // never ends here.
  //   context: outlives the body.
  Event next(Inbox& inbox, const SessionContext& context);

  std::size_t data() const { return data_; }
  HeadPtr take_trailers() { return std::move(trailers_); }
  const Refusal& refusal() const;
  bool is_until_close() const { return framing_.kind == Framing::Kind::kUntilClose; }
  // True when what is missing of the body lies in these many bytes; only known lengths can say so.
  bool ends_within(std::size_t bytes) const {
    return framing_.kind == Framing::Kind::kNone ||
           (framing_.kind == Framing::Kind::kKnown && framing_.bytes <= bytes);
  }

 private:
  enum class Stage : std::uint8_t { kBody, kTrailers, kEnd };

  Event next_plain(Inbox& inbox);
  Event next_chunked(Inbox& inbox);
  Event next_trailers(Inbox& inbox);

  Framing framing_;  // of a known length: what is left
  ChunkedDecoder decoder_;
  std::unique_ptr<HeadParser> parser_;  // while trailers are read: an idle connection owns none
  HeadPtr trailers_;
  std::size_t data_ = 0;
  Stage stage_ = Stage::kEnd;
};

}  // namespace weir::codec
