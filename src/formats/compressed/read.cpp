#include "formats/compressed/read.hpp"

#include <utility>

#include "formats/compressed/compressed.hpp"
#include "formats/within.hpp"

namespace weighbridge::compressed {

namespace {

/// Old joblib files keep large arrays in files of their own, as bytes without a type.
void check_content(Codec codec, const ByteSource& content) {
  if (codec != Codec::JoblibZ || find_format(content)) return;
  throw Error(ErrorCode::UnknownFormat,
              "an array of an old joblib file; it is read through the pickle that stands beside it");
}

}  // namespace

bool looks_like_compressed(const ByteSource& source) { return find_codec(source).has_value(); }

Checkpoint read(SourcePtr source, const OpenOptions& options) {
  const Codec codec = find_codec(*source).value();
  SourcePtr content = decompressed_source(std::move(source), codec, options.limits);
  check_content(codec, *content);
  return read_within(codec_name(codec), std::move(content), options);
}

}  // namespace weighbridge::compressed
