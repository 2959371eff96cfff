#include "formats/zip/inflated_source.hpp"

#include <utility>

#include "formats/compressed/codecs.hpp"
#include "formats/compressed/decoded_source.hpp"
#include "formats/zip/failure.hpp"

namespace weighbridge::zip {

SourcePtr inflated_source(SourcePtr compressed, const Entry& entry) {
  compressed::Stream stream{
      .data = std::move(compressed),
      .noun = "deflated data",
      .make_decoder = [] { return compressed::make_deflate_decoder(compressed::DeflateFraming::Raw); },
      .failure = [name = entry.name, data_offset = entry.data_offset](
                     ErrorCode code, std::string_view what,
                     std::uint64_t offset) { return entry_failure(code, name, what, data_offset + offset); }};
  return compressed::decoded_source(std::move(stream), entry.bytes);
}

}  // namespace weighbridge::zip
