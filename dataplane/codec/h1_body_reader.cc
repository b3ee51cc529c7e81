#include "dataplane/codec/h1_body_reader.h"

#include <algorithm>
#include <utility>

#include "dataplane/codec/hop_by_hop.h"

namespace weir::codec {

void BodyReader::start(const Framing& framing) {
  framing_ = framing;
  decoder_.start();
  parser_.reset();
  trailers_.reset();
  stage_ = framing.kind == Framing::Kind::kNone ? Stage::kEnd : Stage::kBody;
}

BodyReader::Event BodyReader::next(Inbox& inbox, const SessionContext& context) {
  if (stage_ == Stage::kEnd) return Event::kEnd;
  if (framing_.kind != Framing::Kind::kChunked) return next_plain(inbox);
  if (stage_ == Stage::kBody) {
    const Event event = next_chunked(inbox);
    if (event != Event::kEnd) return event;
    stage_ = Stage::kTrailers;
    parser_ = std::make_unique<HeadParser>(context);
    parser_->start(HeadParser::Kind::kTrailers);
  }
  return next_trailers(inbox);
}

const Refusal& BodyReader::refusal() const {
  return stage_ == Stage::kBody ? decoder_.refusal() : parser_->refusal();
}

BodyReader::Event BodyReader::next_plain(Inbox& inbox) {
  if (inbox.empty()) return Event::kNeedMore;
  data_ = inbox.size();
  if (framing_.kind == Framing::Kind::kKnown) {
    data_ = static_cast<std::size_t>(std::min<std::uint64_t>(data_, framing_.bytes));
    framing_.bytes -= data_;
    if (framing_.bytes == 0) stage_ = Stage::kEnd;
  }
  return Event::kData;
}

// kEnd: the last chunk has been read.
BodyReader::Event BodyReader::next_chunked(Inbox& inbox) {
  const ChunkedDecoder::Result result = decoder_.next(inbox.view());
  inbox.skip(result.skip);
  data_ = result.data;
  switch (result.step) {
    case ChunkedDecoder::Step::kNeedMore:
      return Event::kNeedMore;
    case ChunkedDecoder::Step::kData:
      return Event::kData;
    case ChunkedDecoder::Step::kLast:
      return Event::kEnd;
    case ChunkedDecoder::Step::kBad:
      break;
  }
  return Event::kBad;
}

BodyReader::Event BodyReader::next_trailers(Inbox& inbox) {
  switch (parser_->parse(inbox.view())) {
    case HeadParser::Progress::kNeedMore:
      return Event::kNeedMore;
    case HeadParser::Progress::kBad:
      return Event::kBad;
    case HeadParser::Progress::kDone:
      break;
  }
  stage_ = Stage::kEnd;
  trailers_ = parser_->take_head(inbox.view().substr(0, parser_->size()));
  inbox.skip(parser_->size());
  if (trailers_ == nullptr) return Event::kEnd;
  trailers_->remove_if([](const FieldView& f) { return is_forbidden_trailer(f); });
  return trailers_->field_count() > 0 ? Event::kTrailers : Event::kEnd;
}

}  // namespace weir::codec
