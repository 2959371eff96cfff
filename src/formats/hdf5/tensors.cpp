#include "formats/hdf5/tensors.hpp"

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "formats/hdf5/element.hpp"

namespace weighbridge::hdf5 {
namespace {

std::optional<Element> element_of(const Dataset& dataset) {
  if (!dataset.shape || dataset.source == nullptr) return std::nullopt;
  return find_element(dataset.type, text_of(find_attribute(dataset.attributes, "dtype")));
}

TensorEntry make_tensor(const Dataset& dataset, const Element& element) {
  return {.spec = {.name = dataset.path, .dtype = element.dtype, .shape = *dataset.shape},
          .data = {.source = dataset.source, .offset = dataset.offset, .transform = element.transform}};
}

/// Strides of the parts of pairs.
std::vector<std::uint64_t> pair_strides(const Shape& shape, std::uint64_t pair_bytes) {
  std::vector<std::uint64_t> strides(shape.size());
  std::uint64_t stride = pair_bytes;
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= shape[d];  // fits: the dataset's bytes were counted
  }
  return strides;
}

void add_pairs(std::vector<TensorEntry>& tensors, const Dataset& dataset, const Element& element,
               const OpenOptions& options) {
  if (!options.split_complex) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("dataset '{}' is complex128, which safetensors has no dtype for; --complex split "
                            "writes its two parts",
                            printable(dataset.path)),
                dataset.path);
  }
  const std::uint64_t bytes = bit_width(element.dtype) / 8;
  for (const std::string_view part : {".real", ".imag"}) {
    TensorEntry tensor = make_tensor(dataset, element);
    tensor.spec.name += part;
    if (part == ".imag") tensor.data.offset += bytes;
    // A single element has no dimension to say that its neighbour is twice as far; it needs none.
    tensor.data.strides = pair_strides(*dataset.shape, 2 * bytes);
    tensors.push_back(std::move(tensor));
  }
}

void report_others(const std::vector<const Dataset*>& others, Findings& findings) {
  if (others.empty()) return;
  const Dataset& first = *others.front();
  findings.push_back(
      {.severity = Severity::Warning,
       .code = "DatasetsNotTaken",
       .message = fmt::format("{} dataset{} of types that no tensor has {} left out: '{}' ({}){}",
                              others.size(), others.size() == 1 ? "" : "s", others.size() == 1 ? "is" : "are",
                              printable(first.path), first.type.text, others.size() > 1 ? ", ..." : ""),
       .subject = first.path,
       .offset = std::nullopt});
}

}  // namespace

std::vector<TensorEntry> find_tensors(const std::vector<Dataset>& datasets, const OpenOptions& options,
                                      Findings& findings) {
  std::vector<TensorEntry> tensors;
  std::vector<const Dataset*> others;
  for (const Dataset& dataset : datasets) {
    const auto element = element_of(dataset);
    if (!element) {
      const bool expected = !dataset.shape || dataset.type.simple.kind == TypeClass::String;
      if (!expected) others.push_back(&dataset);
    } else if (element->in_pairs) {
      add_pairs(tensors, dataset, *element, options);
    } else {
      tensors.push_back(make_tensor(dataset, *element));
    }
  }
  report_others(others, findings);
  return tensors;
}

bool is_no_tensor(const Dataset& dataset) { return !element_of(dataset); }

}  // namespace weighbridge::hdf5
