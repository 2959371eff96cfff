// From the tensors of a model to those of a checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/onnx/external.hpp"
#include "formats/onnx/model.hpp"

namespace weighbridge::onnx {

/// What a dense tensor is in safetensors.
struct Form {
  DType dtype = DType::F32;
  Shape shape;
  bool raw = false;  ///< U8 in one dimension: elements of less than a byte, as the model has them.
};

/// Nothing where safetensors has nothing for it: texts and COMPLEX128. Throws as data_bytes does,
/// MalformedCheckpoint for a tensor without a type, Unsupported for an unknown one.
[[nodiscard]] std::optional<Form> find_form(const TensorProto& tensor);

/// Says which tensor of a checkpoint was something else in the model.
struct Restated {
  std::string name;
  std::string type;
  Shape shape;
  bool sparse = false;
};

/// Makes tensors of a checkpoint from those of a model. One thread.
class ContentReader {
 public:
  /// All must live as long as this.
  ContentReader(const SourcePtr& file, Window& window, const OpenOptions& options)
      : file_(file), window_(window), options_(options), external_(options) {}

  /// The tensors that one becomes: usually itself; none for texts, which are noted.
  [[nodiscard]] std::vector<TensorEntry> read(const Tensor& tensor);

  [[nodiscard]] ExternalFiles& external() noexcept { return external_; }
  [[nodiscard]] std::vector<ExtraItem> take_not_taken() { return std::move(not_taken_); }
  [[nodiscard]] const std::vector<Restated>& restated() const noexcept { return restated_; }

 private:
  [[nodiscard]] TensorData find_data(const TensorProto& tensor, const ElementType& type);
  [[nodiscard]] std::vector<TensorEntry> read_dense(const std::string& name, const TensorProto& tensor);
  [[nodiscard]] std::vector<TensorEntry> read_sparse(const Tensor& tensor);
  [[nodiscard]] TensorEntry write_out(const Tensor& tensor, const TensorEntry& values,
                                      const TensorEntry& indices);

  const SourcePtr& file_;
  Window& window_;
  const OpenOptions& options_;
  ExternalFiles external_;
  std::vector<ExtraItem> not_taken_;
  std::vector<Restated> restated_;
};

}  // namespace weighbridge::onnx
