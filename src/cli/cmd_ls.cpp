#include <algorithm>
#include <utility>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/filter.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"
#include "cli/tree.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Lists the tensors of a file. Shows name, dtype, shape and size of each, and sums for each dtype; no "
    "tensor is read.";

using Tensors = std::vector<const TensorEntry*>;

enum class Order : std::uint8_t { File, Name, Size, Offset, DType };

struct Options {
  Input input;
  std::vector<std::string> globs;
  Order order = Order::File;
  bool tree = false;
};

void declare(CLI::App& app, Options& options) {
  add_input(app, options.input);
  add_filter(app, options.globs);
  add_choice<Order>(app, "--sort", options.order,
                    {{"file", Order::File},
                     {"name", Order::Name},
                     {"size", Order::Size},
                     {"offset", Order::Offset},
                     {"dtype", Order::DType}},
                    "Order of the list; size puts the largest first. Default: file, the file's own order.");
  add_flag(app, "--tree", options.tree, "Show the names as a tree, split at their dots.");
  exclude(app, "--tree", "--json");
  add_examples(app, {{"All tensors", "weighbridge ls model.safetensors"},
                     {"The ten largest", "weighbridge ls model.pt --sort size | head -n 11"},
                     {"Attention weights only", "weighbridge ls model.pt --filter '*.attn.*.weight'"},
                     {"Names for a script", "weighbridge ls model.pt --json | jq -r '.tensors[].name'"}});
}

std::uint64_t bytes_of(const TensorEntry* tensor) {
  return byte_size(tensor->spec.dtype, tensor->spec.shape);
}

// Equal keys stay in file order: the pointers are into one array.
template <class Key>
void sort_by(Tensors& tensors, Key key) {
  std::ranges::sort(tensors, {}, [key](const TensorEntry* tensor) { return std::pair(key(tensor), tensor); });
}

void sort_tensors(Tensors& tensors, Order order) {
  switch (order) {
    case Order::File:
      return;
    case Order::Name:
      return sort_by(tensors, [](auto* tensor) { return std::string_view(tensor->spec.name); });
    case Order::Size:
      return sort_by(tensors, [](auto* tensor) { return ~bytes_of(tensor); });  // largest first
    case Order::Offset:
      return sort_by(tensors, [](auto* tensor) { return tensor->data.offset; });
    case Order::DType:
      return sort_by(tensors, [](auto* tensor) { return dtype_name(tensor->spec.dtype); });
  }
}

// Columns as wide as they need to be; one enormous name must not widen every line.
struct Widths {
  std::size_t name = 4;
  std::size_t shape = 5;
};

Widths measure(const Tensors& tensors) {
  constexpr std::size_t kMostName = 60;
  constexpr std::size_t kMostShape = 30;
  Widths widths;
  for (const TensorEntry* tensor : tensors) {
    widths.name = std::max(widths.name, std::min(kMostName, text_width(printable(tensor->spec.name))));
    widths.shape = std::max(widths.shape, std::min(kMostShape, shape_text(tensor->spec.shape).size()));
  }
  return widths;
}

void print_line(const Widths& widths, std::string_view name, std::string_view dtype, std::string_view shape,
                std::string_view bytes) {
  const std::size_t width = text_width(name);
  const std::size_t padding = widths.name > width ? widths.name - width : 0;
  fmt::print("{}{:{}}  {:<11}  {:<{}}  {:>10}\n", name, "", padding, dtype, shape, widths.shape, bytes);
}

void print_table(const Tensors& tensors) {
  const Widths widths = measure(tensors);
  print_line(widths, "name", "dtype", "shape", "size");
  for (const TensorEntry* tensor : tensors) {
    const TensorSpec& spec = tensor->spec;
    print_line(widths, printable(spec.name), dtype_name(spec.dtype), shape_text(spec.shape),
               size_text(bytes_of(tensor)));
  }
}

Json list_json(const Options& options, const Checkpoint& checkpoint, const Tensors& tensors) {
  Json json = document("ls");
  json["file"] = options.input.file;
  json["format"] = checkpoint.format;
  json["root"] = checkpoint.root;
  Json list = Json::array();
  for (const TensorEntry* tensor : tensors) list.push_back(tensor_json(tensor->spec));
  json["tensors"] = std::move(list);
  json["totals"] = totals_json(count_totals(tensors));
  return json;
}

WorkerOptions prepare(const Options& options) { return worker_for(options.input); }

int execute(const Options& options, WorkerFiles& files) {
  const Checkpoint checkpoint = open_input(options.input, files);
  Tensors tensors = filter_tensors(checkpoint, options.globs);
  sort_tensors(tensors, options.order);
  if (options.input.json) {
    print_json(stdout, list_json(options, checkpoint, tensors));
    return kOk;
  }
  if (options.tree) {
    print_tree(stdout, tensors);
  } else {
    print_table(tensors);
  }
  print_totals(stdout, count_totals(tensors));
  print_dangers(stderr, checkpoint.findings);
  return kOk;
}

}  // namespace

void add_ls(CLI::App& app, Invocation& invocation) {
  add_worker_verb<Options>(app, invocation, "ls", kPurpose, declare, prepare, execute);
}

}  // namespace weighbridge::cli
