// The key-value pairs of GGUF files, as what a checkpoint holds beside its tensors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/gguf/header.hpp"

namespace weighbridge::gguf {

/// A pair and the file that it stands in.
struct StoredPair {
  SourcePtr source;
  bool big_endian = false;
  KeyValue pair;
};

/// The text of a pair that is one valid string; nothing for any other.
[[nodiscard]] std::optional<std::string> read_text(const StoredPair& stored);

/// The number of a pair that is one integer; nothing for any other and a negative one.
[[nodiscard]] std::optional<std::uint64_t> read_number(const StoredPair& stored);

/// `names` are the tensors in the order of the file; the sidecar keeps it.
[[nodiscard]] std::shared_ptr<const Extras> make_extras(std::vector<StoredPair> pairs,
                                                        std::vector<std::string> names);

}  // namespace weighbridge::gguf
