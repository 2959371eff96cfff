#include "formats/numpy/joblib_wrapper.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "formats/numpy/node_values.hpp"

namespace weighbridge::numpy {
namespace {

using pickle::Constructor;
using pickle::Graph;
using pickle::InlayShape;
using pickle::kNoNode;
using pickle::NodeId;

/// joblib aligns to 16; no machine needs more than a page.
constexpr std::int64_t kMostAlignment = 4096;

bool is_wrapper(Constructor constructor) noexcept {
  return constructor == Constructor::JoblibWrapper || constructor == Constructor::JoblibCompanion ||
         constructor == Constructor::JoblibCompressedCompanion;
}

/// What a NumpyArrayWrapper says of its array.
struct Wrapped {
  std::shared_ptr<const DataType> type;
  Shape shape;
  Order order = Order::RowMajor;
  std::optional<std::int64_t> alignment;  ///< Absent in files of joblib before 1.2: no padding then.
};

NodeId get_member(const Graph& graph, NodeId state, std::string_view name) {
  const NodeId value = pickle::find_entry(graph, state, name);
  if (value == kNoNode) refuse(fmt::format("a joblib wrapper without its '{}'", name));
  return value;
}

Wrapped parse_wrapper(const Graph& graph, NodeId node, DTypeReader& dtypes) {
  const NodeId state = graph.state(node);
  Wrapped wrapped;
  wrapped.type = dtypes.read(get_member(graph, state, "dtype"));
  wrapped.shape = parse_shape(graph, get_member(graph, state, "shape"));
  const auto order = find_order(graph, get_member(graph, state, "order"));
  if (!order) refuse("the order of a joblib wrapper is neither 'C' nor 'F'");
  wrapped.order = *order;
  const NodeId alignment = pickle::find_entry(graph, state, "numpy_array_alignment_bytes");
  if (pickle::kind_of(graph, alignment) == pickle::Kind::None) return wrapped;
  wrapped.alignment = pickle::find_integer(graph, alignment);
  if (!wrapped.alignment || *wrapped.alignment < 1 || *wrapped.alignment > kMostAlignment) {
    refuse("the alignment of a joblib wrapper is no sensible number");
  }
  return wrapped;
}

std::uint64_t read_padding(const ByteSource& source, std::uint64_t position, std::int64_t alignment) {
  std::array<std::byte, 1> byte{};
  if (position >= source.size()) refuse("the stream ends behind a joblib wrapper, where its array belongs");
  source.read_at(position, byte);
  const auto padding = std::to_integer<std::uint64_t>(byte[0]);
  if (padding > static_cast<std::uint64_t>(alignment)) {
    refuse(fmt::format("{} bytes of padding in front of an array that is aligned to {}", padding, alignment));
  }
  return padding + 1;
}

/// Understands each dtype once, however many wrappers share it. One graph only.
class InlayFinder {
 public:
  explicit InlayFinder(SourcePtr source) : source_(std::move(source)) {}

  std::optional<InlayShape> operator()(const Graph& graph, NodeId object, std::uint64_t position) {
    if (wrapper_kind(graph, object) != Constructor::JoblibWrapper) return std::nullopt;
    if (!seen_.insert(object).second) refuse("a joblib wrapper that is built twice");
    if (!dtypes_) dtypes_.emplace(graph);
    const Wrapped wrapped = parse_wrapper(graph, object, *dtypes_);
    if (holds_objects(*wrapped.type)) return InlayShape{.is_stream = true};
    const std::uint64_t bytes = byte_count(wrapped.shape, wrapped.type->bytes);
    const std::uint64_t padding =
        wrapped.alignment ? read_padding(*source_, position, *wrapped.alignment) : 0;
    const auto start = checked_add(position, padding);
    if (!start || !range_fits(*start, bytes, source_->size())) {
      refuse(fmt::format("an array of shape {} needs {} bytes, {} remain", shape_text(wrapped.shape), bytes,
                         source_->size() - position));
    }
    return InlayShape{.padding = padding, .bytes = bytes};
  }

 private:
  SourcePtr source_;
  std::optional<DTypeReader> dtypes_;
  std::set<NodeId> seen_;
};

std::string file_of(const Graph& graph, NodeId node) {
  const auto name = pickle::find_text(graph, pickle::find_entry(graph, graph.state(node), "filename"));
  if (!name) refuse("a joblib wrapper without the name of its file");
  return std::string(*name);
}

}  // namespace

pickle::Constructor wrapper_kind(const pickle::Graph& graph, pickle::NodeId node) noexcept {
  Constructor constructor = pickle::callable_of(graph, node);
  if (constructor == Constructor::Reconstructor) {
    const auto arguments = pickle::arguments_of(graph, node);
    constructor = arguments.empty() ? Constructor::None : pickle::constructor_of(graph, arguments[0]);
  }
  return is_wrapper(constructor) ? constructor : Constructor::None;
}

bool names_wrapper(const pickle::Graph& graph) {
  return std::ranges::any_of(graph.globals(), [](const pickle::GlobalUse& use) {
    return is_wrapper(pickle::find_constructor(use.module, use.name));
  });
}

pickle::FindInlay find_joblib_inlay(SourcePtr source) {
  return [finder = std::make_shared<InlayFinder>(std::move(source))](const Graph& graph, NodeId object,
                                                                     std::uint64_t position) {
    return (*finder)(graph, object, position);
  };
}

void add_inlays(const pickle::Graph& graph, const std::vector<pickle::Inlay>& inlays, const SourcePtr& source,
                const Limits& limits, Arrays& arrays) {
  DTypeReader dtypes(graph);
  for (const pickle::Inlay& inlay : inlays) {
    if (inlay.root != kNoNode) {
      const auto inner = arrays.find(inlay.root);
      if (inner != arrays.end()) arrays.emplace(inlay.object, inner->second);
      continue;
    }
    arrays.emplace(inlay.object, attempt([&] {
                     Wrapped wrapped = parse_wrapper(graph, inlay.object, dtypes);
                     return make_array(std::move(wrapped.type), std::move(wrapped.shape), wrapped.order,
                                       source, inlay.offset, inlay.bytes, limits);
                   }));
  }
}

std::vector<Companion> find_companions(const pickle::Graph& graph) {
  std::vector<Companion> companions;
  for (NodeId node = 0; node < graph.size(); ++node) {
    const Constructor kind = wrapper_kind(graph, node);
    if (kind != Constructor::JoblibCompanion && kind != Constructor::JoblibCompressedCompanion) continue;
    companions.push_back({.node = node,
                          .file = file_of(graph, node),
                          .compressed = kind == Constructor::JoblibCompressedCompanion});
  }
  return companions;
}

Array array_of_companion(const pickle::Graph& graph, const Companion& companion, SourcePtr data,
                         const Limits& limits) {
  const auto state =
      pickle::find_sequence(graph, pickle::find_entry(graph, graph.state(companion.node), "state"));
  // (version, shape, dtype, is_fortran): the data, which lies in the file, would come next.
  if (!state || state->size() != 4) refuse("a joblib wrapper without the state of its array");
  const auto fortran = find_flag(graph, (*state)[3]);
  if (!fortran) refuse("whether it is in Fortran order is neither True nor False");
  const std::uint64_t bytes = data->size();
  return make_array(DTypeReader(graph).read((*state)[2]), parse_shape(graph, (*state)[1]),
                    *fortran ? Order::ColumnMajor : Order::RowMajor, std::move(data), 0, bytes, limits);
}

}  // namespace weighbridge::numpy
