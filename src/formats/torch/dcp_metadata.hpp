// The `.metadata` pickle of a distributed checkpoint (torch.distributed.checkpoint): which tensors
// and objects there are, and in which range of which file each piece lies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weighbridge/limits.hpp>
#include <weighbridge/tensor.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// A range of a file; it holds a whole zip archive with one tensor or one object.
struct DcpRange {
  std::string file;  ///< As the metadata names it; not checked.
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// One piece of a tensor.
struct DcpChunk {
  Shape offsets;
  Shape sizes;
  DcpRange range;
};

struct DcpTensor {
  std::string name;
  const ElementType* type = nullptr;
  Shape shape;
  std::vector<DcpChunk> chunks;
};

struct DcpObject {
  std::string name;
  DcpRange range;
};

struct DcpMetadata {
  std::vector<DcpTensor> tensors;
  std::vector<DcpObject> objects;
};

/// Whether the root of a plain pickle is such metadata.
bool is_dcp_metadata(const Document& document);

/// Throws MalformedCheckpoint naming the tensor: fields that are missing or of another type, a piece
/// that is stored nowhere; Unsupported for pieces that were transformed when they were stored;
/// LimitExceeded. REQUIRES: is_dcp_metadata(document).
DcpMetadata parse_dcp_metadata(const Document& document, const Limits& limits);

}  // namespace weighbridge::torch
