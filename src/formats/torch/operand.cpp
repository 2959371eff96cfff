#include "formats/torch/operand.hpp"

#include <algorithm>

#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/torch/nodes.hpp"

namespace weighbridge::torch {
namespace {

std::vector<std::uint64_t> byte_strides(const Geometry& geometry, std::uint64_t element_bytes) {
  if (is_contiguous(geometry)) return {};
  std::vector<std::uint64_t> strides(geometry.strides.size());
  for (std::size_t i = 0; i < strides.size(); ++i) {
    strides[i] = geometry.shape[i] == 1 ? 0 : geometry.strides[i] * element_bytes;
  }
  return strides;
}

bool has_elements(const Geometry& geometry) {
  return std::ranges::find(geometry.shape, 0U) == geometry.shape.end();
}

/// conj and neg: torch stores the bytes as they were and a note to change their sign.
bool flag_of(const Graph& graph, NodeId metadata, std::string_view flag) {
  const NodeId value = find_entry(graph, metadata, flag);
  return kind_of(graph, value) == Kind::Bool && graph.boolean(value);
}

/// (storage, offset, size, stride, ...); version 3 gives the dtype apart from the storage.
Operand from_arguments(const Subject& subject, const Recipe& recipe, std::span<const NodeId> arguments) {
  const bool typed_apart = recipe.function == Constructor::RebuildTensorV3;
  if (arguments.size() < (typed_apart ? 7U : 4U)) {
    refuse(subject, fmt::format("made from {} arguments, {} needed", arguments.size(), typed_apart ? 7 : 4));
  }
  const Storage& storage = get_storage(subject, arguments[0]);
  const ElementType& type = typed_apart ? get_element_type(subject, arguments[6]) : *storage.type;
  Operand operand = view_of(subject, storage, type,
                            parse_geometry(subject.graph(), arguments[1], arguments[2], arguments[3],
                                           subject.name, subject.options.limits));
  const std::size_t metadata = typed_apart ? 7 : 6;
  if (arguments.size() > metadata) {
    operand.conj = flag_of(subject.graph(), arguments[metadata], "conj");
    operand.neg = flag_of(subject.graph(), arguments[metadata], "neg");
  }
  return operand;
}

/// torch.FloatTensor() and a state of (storage, offset, size, stride), as before torch 0.2.
Operand from_tensor_class(const Subject& subject, const Recipe& recipe) {
  const auto state = find_sequence(subject.graph(), recipe.state);
  if (!state) refuse(subject, "a tensor object without a state of storage, offset, size and stride");
  return from_arguments(subject, recipe, *state);
}

/// The dtype whose elements are as large; pairs of them for elements of 16 bytes.
DType carrier_of(std::uint64_t bytes) {
  switch (bytes) {
    case 1:
      return DType::U8;
    case 2:
      return DType::U16;
    case 4:
      return DType::U32;
    default:
      return DType::U64;
  }
}

ByteRuns runs_of(const Operand& operand) {
  Shape shape = operand.shape;
  auto strides = operand.data.strides;
  if (operand.type->bytes == 16) {
    shape.push_back(2);
    if (!strides.empty()) strides.push_back(8);
  }
  ByteRuns runs = plan_runs(carrier_of(operand.type->bytes), shape, strides);
  runs.offset += operand.data.offset;
  return runs;
}

}  // namespace

std::uint64_t Operand::elements() const noexcept {
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) count *= size;
  return count;
}

bool is_strided(const Recipe& recipe) noexcept {
  switch (recipe.function) {
    case Constructor::RebuildTensor:
    case Constructor::RebuildTensorV2:
    case Constructor::RebuildTensorV3:
    case Constructor::TorchTensorClass:
      return true;
    default:
      return false;
  }
}

Operand parse_operand(const Subject& subject, const Recipe& recipe) {
  if (recipe.function == Constructor::TorchTensorClass) return from_tensor_class(subject, recipe);
  return from_arguments(subject, recipe,
                        find_sequence(subject.graph(), recipe.arguments).value_or(std::span<const NodeId>{}));
}

Operand parse_operand(const Subject& subject, pickle::NodeId node, std::string_view what) {
  const auto recipe = find_recipe(subject.graph(), node);
  if (recipe && is_strided(*recipe)) return parse_operand(subject, *recipe);
  refuse(subject, fmt::format("its {} are no plain tensor", what));
}

Operand whole_storage(const Subject& subject, const Storage& storage) {
  const Geometry line{.offset = 0, .shape = {storage.bytes / storage.type->bytes}, .strides = {1}};
  return view_of(subject, storage, *storage.type, line);
}

Operand view_of(const Subject& subject, const Storage& storage, const ElementType& type,
                const Geometry& geometry) {
  check_bounds(geometry, type.bytes, storage, subject.name);
  check_expansion(geometry, type.bytes, storage, subject.name, subject.options.limits);
  Operand operand;
  operand.type = &type;
  operand.shape = geometry.shape;
  operand.data.source = storage.source;
  operand.data.offset = storage.offset + (has_elements(geometry) ? geometry.offset * type.bytes : 0);
  operand.data.strides = byte_strides(geometry, type.bytes);
  operand.data.transform = transform_of(type, storage.big_endian);
  operand.storage_bytes = storage.bytes;
  return operand;
}

const Storage& get_storage(const Subject& subject, pickle::NodeId node) {
  if (const Storage* storage = subject.document.find_storage(node)) return *storage;
  refuse(subject, "its storage is none of this file's");
}

const ElementType& get_element_type(const Subject& subject, pickle::NodeId node) {
  const Graph& graph = subject.graph();
  if (constructor_of(graph, node) == Constructor::TorchDType) {
    if (const ElementType* type = find_element_type(graph.name(node))) return *type;
  }
  refuse(subject, fmt::format("{} is no dtype", printable(class_name(graph, node))));
}

Content::Content(const Operand& operand)
    : source_(operand.data.source),
      runs_(runs_of(operand)),
      transform_(operand.data.transform),
      elements_(operand.elements()),
      element_bytes_(operand.type->bytes) {}

void Content::read(std::uint64_t first, std::span<std::byte> out) const {
  if (!out.empty()) read_runs(*source_, runs_, transform_, first * element_bytes_, out);
}

std::vector<std::byte> Content::read_all() const {
  std::vector<std::byte> bytes(elements_ * element_bytes_);
  read(0, bytes);
  return bytes;
}

bool Content::random_access() const {
  return source_->file_extent(runs_.offset).has_value() || source_->map(runs_.offset, 0).has_value();
}

std::string Content::identity() const {
  std::string text = fmt::format("{} {} {} {}", fmt::ptr(source_.get()), runs_.offset, runs_.run_bytes,
                                 static_cast<int>(transform_));
  for (const RunLoop& loop : runs_.loops) text += fmt::format(" {}x{}", loop.count, loop.stride);
  return text;
}

std::vector<std::int64_t> read_integers(const Subject& subject, const Operand& table, std::string_view what) {
  const std::string_view type = table.type->name;
  if (type != "int64" && type != "int32")
    refuse(subject, fmt::format("its {} are {}, not int64", what, type));
  const auto bytes = Content(table).read_all();
  std::vector<std::int64_t> numbers(table.elements());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = type == "int64" ? load_le<std::int64_t>(bytes.data() + i * 8)
                                 : load_le<std::int32_t>(bytes.data() + i * 4);
  }
  return numbers;
}

}  // namespace weighbridge::torch
