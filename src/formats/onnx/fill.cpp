#include "formats/onnx/fill.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/onnx/content.hpp"
#include "formats/onnx/model.hpp"
#include "formats/onnx/rewrite.hpp"
#include "formats/sharded/content.hpp"

namespace weighbridge::onnx {
namespace {

constexpr std::size_t kMostNamed = 8;

/// The tensors of a checkpoint by all their names.
class Given {
 public:
  explicit Given(const Checkpoint& checkpoint) : metadata_(checkpoint.metadata) {
    for (const TensorEntry& entry : checkpoint.tensors) entries_.emplace(entry.spec.name, &entry);
  }

  const TensorEntry* find(const std::string& name) {
    auto found = entries_.find(name);
    if (found == entries_.end() && metadata_) {
      const auto alias = metadata_->find(name);
      if (alias != metadata_->end()) found = entries_.find(alias->second);
    }
    if (found == entries_.end()) return nullptr;
    used_.insert(found->first);
    return found->second;
  }

  std::vector<std::string> unused(const Checkpoint& checkpoint) const {
    std::vector<std::string> names;
    for (const TensorEntry& entry : checkpoint.tensors) {
      if (!used_.contains(entry.spec.name)) names.push_back(entry.spec.name);
    }
    return names;
  }

 private:
  const std::optional<Metadata>& metadata_;
  std::unordered_map<std::string_view, const TensorEntry*> entries_;
  std::unordered_set<std::string_view> used_;
};

std::string list_names(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    text += fmt::format("{}'{}'", i == 0 ? "" : ", ", printable(names[i]));
  }
  return names.size() > kMostNamed ? fmt::format("{} and {} more", text, names.size() - kMostNamed) : text;
}

std::string spec_text(DType dtype, const Shape& shape) {
  return fmt::format("{} {}", dtype_name(dtype), shape_text(shape));
}

bool is_external(const Tensor& tensor) {
  return tensor.proto.external || (tensor.sparse && tensor.sparse->indices.external);
}

class Filler {
 public:
  Filler(const SourcePtr& file, const Checkpoint& checkpoint, const FillOptions& options)
      : file_(file),
        window_(*file),
        checkpoint_(checkpoint),
        options_(options),
        model_(parse_model(window_, options.open.limits)),
        own_(file, window_, options.open),
        given_(checkpoint) {}

  FilePlan run() {
    for (std::size_t i = 0; i < model_.tensors.size(); ++i) fill(i);
    complain();
    return plan_rewritten(file_, window_, model_, replacements_);
  }

 private:
  bool is_initializer(const Tensor& tensor) const {
    return tensor.role == Role::Initializer && model_.scopes[tensor.scope].graph;
  }

  void fill(std::size_t number) {
    const Tensor& tensor = model_.tensors[number];
    const auto form = tensor.sparse || tensor.proto.list_field != 0 ? std::nullopt : find_form(tensor.proto);
    if (!form) return keep(tensor);
    const TensorEntry* entry = given_.find(tensor.name);
    if (entry == nullptr) return keep_value(number, tensor);
    if (entry->spec.dtype != form->dtype || entry->spec.shape != form->shape) {
      mismatched_.push_back(fmt::format("{} is {}, the model has {}", printable(tensor.name),
                                        spec_text(entry->spec.dtype, entry->spec.shape),
                                        spec_text(form->dtype, form->shape)));
      return;
    }
    if (is_initializer(tensor) && goes_outside(*entry)) return put_outside(number, *entry);
    if (options_.is_own && !tensor.proto.external) return;
    replacements_.push_back({.tensor = number, .data = Inside{*entry}});
  }

  /// A tensor that was not given.
  void keep_value(std::size_t number, const Tensor& tensor) {
    if (is_initializer(tensor)) {
      missing_.push_back(tensor.name);
    } else if (tensor.proto.external) {
      replacements_.push_back({.tensor = number, .data = Inside{own_.read(tensor).front()}});
    }
  }

  bool goes_outside(const TensorEntry& entry) const {
    const std::uint64_t bytes = byte_size(entry.spec.dtype, entry.spec.shape);
    return options_.outside != nullptr && bytes > 0 && bytes >= options_.outside->inline_below;
  }

  void put_outside(std::size_t number, const TensorEntry& entry) {
    const Header& header = options_.outside->header;
    const TensorInfo info = header.get(entry.spec.name);
    replacements_.push_back({.tensor = number,
                             .data = Outside{.location = options_.outside->name,
                                             .offset = header.data_begin() + info.begin,
                                             .length = info.end - info.begin}});
  }

  /// A tensor that stays as it is: what was given for it has to be that.
  void keep(const Tensor& tensor) {
    if (is_external(tensor)) {
      throw Error(
          ErrorCode::Unsupported,
          fmt::format("tensor '{}': its data is in another file, and safetensors has nothing for its type",
                      printable(tensor.name)),
          tensor.name);
    }
    if (find_element_type(tensor.proto.type) == nullptr || tensor.proto.type == kString) return;
    if (tensor.proto.type == kComplex128 && !options_.open.split_complex) return;
    for (const TensorEntry& ours : own_.read(tensor)) {
      const TensorEntry* entry = given_.find(ours.spec.name);
      if (entry == nullptr || options_.is_own || sharded::is_equal(*entry, ours)) continue;
      throw Error(
          ErrorCode::Unsupported,
          fmt::format("tensor '{}': new values cannot be put into a list of an attribute, a sparse tensor or "
                      "a type that safetensors does not have",
                      printable(ours.spec.name)),
          ours.spec.name);
    }
  }

  void complain() const {
    const std::vector<std::string> extra = given_.unused(checkpoint_);
    std::string text;
    const auto add = [&](std::string_view what, const std::vector<std::string>& names,
                         const std::string& list) {
      if (!names.empty())
        text += fmt::format("{}{} {}: {}", text.empty() ? "" : "; ", names.size(), what, list);
    };
    add("initializers are missing", missing_, list_names(missing_));
    add("tensors have no place in it", extra, list_names(extra));
    add("do not fit", mismatched_, mismatched_.empty() ? "" : mismatched_.front());
    if (text.empty()) return;
    const std::string subject = !missing_.empty() ? missing_.front() : extra.empty() ? "" : extra.front();
    throw Error(ErrorCode::MalformedCheckpoint, "the tensors are not those of the model: " + text, subject);
  }

  const SourcePtr& file_;
  Window window_;
  const Checkpoint& checkpoint_;
  const FillOptions& options_;
  Model model_;
  ContentReader own_;
  Given given_;
  std::vector<Replacement> replacements_;
  std::vector<std::string> missing_;
  std::vector<std::string> mismatched_;
};

}  // namespace

FilePlan plan_filled(const SourcePtr& file, const Checkpoint& checkpoint, const FillOptions& options) {
  return Filler(file, checkpoint, options).run();
}

}  // namespace weighbridge::onnx
