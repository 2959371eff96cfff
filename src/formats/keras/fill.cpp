#include "formats/keras/fill.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/keras/patched_source.hpp"
#include "formats/keras/read.hpp"
#include "formats/zip/archive.hpp"
#include "formats/zip/layout.hpp"

namespace weighbridge::keras {
namespace {

constexpr std::string_view kWeights = "model.weights.h5";
constexpr std::uint64_t kAlignment = 64;

/// The tensors of a checkpoint by all of their names.
class Shelf {
 public:
  explicit Shelf(const Checkpoint& checkpoint) {
    for (const TensorEntry& entry : checkpoint.tensors) by_name_.emplace(entry.spec.name, &entry);
    unused_ = {};
    for (const auto& [name, entry] : by_name_) unused_.insert(name);
    if (!checkpoint.metadata) return;
    for (const auto& [alias, kept] : *checkpoint.metadata) {
      const auto found = by_name_.find(kept);
      if (found != by_name_.end()) by_name_.emplace(alias, found->second);
    }
  }

  const TensorEntry& take(const std::string& name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      throw Error(ErrorCode::TensorNotFound,
                  fmt::format("the template has the weight '{}', the input has no tensor of that name",
                              printable(name)),
                  name);
    }
    unused_.erase(found->second->spec.name);
    return *found->second;
  }

  void refuse_unused() const {
    if (unused_.empty()) return;
    throw Error(ErrorCode::TensorNotFound,
                fmt::format("the input has the tensor '{}'{}, the template has no place for it",
                            printable(*unused_.begin()),
                            unused_.size() > 1 ? fmt::format(" and {} more", unused_.size() - 1) : ""),
                std::string(*unused_.begin()));
  }

 private:
  std::map<std::string_view, const TensorEntry*> by_name_;
  std::set<std::string_view> unused_;
};

void check_same(const TensorEntry& place, const TensorEntry& tensor) {
  const bool same = place.spec.dtype == tensor.spec.dtype && place.spec.shape == tensor.spec.shape;
  if (same) return;
  throw Error(ErrorCode::TensorInvalidInfo,
              fmt::format("tensor '{}' is {} {}, the template has {} {} there", printable(tensor.spec.name),
                          dtype_name(tensor.spec.dtype), shape_text(tensor.spec.shape),
                          dtype_name(place.spec.dtype), shape_text(place.spec.shape)),
              tensor.spec.name);
}

/// The bytes as the tensor's own transform gives them, in the order that the place has.
Transform join(Transform tensor, Transform place, const std::string& name) {
  if (place == Transform::None || place == Transform::Booleans) return tensor;
  if (tensor == Transform::None) return place;
  if (tensor == place) return Transform::None;
  throw Error(ErrorCode::Unsupported,
              fmt::format("tensor '{}' would be turned around twice", printable(name)), name);
}

/// Where the template has the weights, and what comes there.
class Exchange {
 public:
  Exchange(SourcePtr form, const Checkpoint& places) : form_(std::move(form)), places_(places) {}

  std::vector<CopyStep> run(const Checkpoint& checkpoint) && {
    Shelf shelf(checkpoint);
    for (const TensorEntry& place : places_.tensors) {
      const TensorEntry& tensor = shelf.take(place.spec.name);
      check_same(place, tensor);
      if (byte_size(place.spec.dtype, place.spec.shape) > 0) exchange(place, tensor);
    }
    shelf.refuse_unused();
    return lay_out();
  }

 private:
  void exchange(const TensorEntry& place, const TensorEntry& tensor) {
    if (place.data.source != form_ || !place.data.strides.empty()) {
      throw Error(
          ErrorCode::Unsupported,
          fmt::format("the template keeps '{}' in chunks, compressed, or not at all, so that other bytes "
                      "have no place there; save it again without compression",
                      printable(place.spec.name)),
          place.spec.name);
    }
    const auto [known, fresh] = exchanged_.emplace(place.data.offset, &tensor);
    if (!fresh) {
      if (known->second->data == tensor.data) return;  // tied there and here
      throw Error(ErrorCode::SharedTensors,
                  fmt::format("'{}' and '{}' are one weight of the template, and two tensors of the input",
                              printable(place.spec.name), printable(known->second->spec.name)),
                  place.spec.name);
    }
    new_.push_back({.name = tensor.spec.name,
                    .source = tensor.data.source,
                    .runs = tensor_runs(tensor),
                    .transform = join(tensor.data.transform, place.data.transform, tensor.spec.name),
                    .destination = place.data.offset});
  }

  void keep(std::vector<CopyStep>& steps, std::uint64_t from, std::uint64_t to) const {
    if (to <= from) return;
    steps.push_back({.name = "template",
                     .source = form_,
                     .runs = {.offset = from, .run_bytes = to - from, .total_bytes = to - from},
                     .destination = from});
  }

  std::vector<CopyStep> lay_out() {
    std::ranges::sort(new_, {}, &CopyStep::destination);
    std::vector<CopyStep> steps;
    std::uint64_t at = 0;
    for (CopyStep& step : new_) {
      if (step.destination < at) {
        throw Error(ErrorCode::MalformedCheckpoint,
                    fmt::format("weights of the template overlap, at '{}'", printable(step.name)), step.name);
      }
      keep(steps, at, step.destination);
      at = step.destination + step.runs.total_bytes;
      steps.push_back(std::move(step));
    }
    keep(steps, at, form_->size());
    return steps;
  }

  SourcePtr form_;
  const Checkpoint& places_;
  std::map<std::uint64_t, const TensorEntry*> exchanged_;
  std::vector<CopyStep> new_;
};

void note_training(const Checkpoint& places, Findings& findings) {
  if (places.optimizer.empty()) return;
  findings.push_back(
      {.severity = Severity::Warning,
       .code = "TrainingStateKept",
       .message = fmt::format("the optimizer's state is the template's own, {} tensors, and not that "
                              "of these weights",
                              places.optimizer.size()),
       .subject = {},
       .offset = std::nullopt});
}

/// The template's weights by name; what it has beside them is kept apart.
Checkpoint read_places(const SourcePtr& weights, std::vector<ModelText> texts, const OpenOptions& options) {
  OpenOptions reading;
  reading.limits = options.limits;
  reading.hdf5 = options.hdf5;
  reading.names = options.names;
  reading.split_complex = true;
  reading.optimizer = OptimizerPolicy::Separate;
  hdf5::Content content = parse_hdf5(weights, reading);
  if (texts.empty()) texts = take_model_texts(content);
  return assemble(std::move(content), std::move(texts), reading);
}

std::vector<CopyStep> exchange_all(const Checkpoint& checkpoint, const SourcePtr& weights,
                                   std::vector<ModelText> texts, const OpenOptions& options,
                                   Findings& findings) {
  const Checkpoint places = read_places(weights, std::move(texts), options);
  note_training(places, findings);
  std::ranges::copy_if(places.findings, std::back_inserter(findings),
                       [](const Finding& finding) { return finding.severity == Severity::Danger; });
  return Exchange(weights, places).run(checkpoint);
}

FilePlan plan_archive(const Checkpoint& checkpoint, const SourcePtr& form, const OpenOptions& options,
                      Findings& findings) {
  const zip::Archive archive = zip::Archive::read(form, options.limits);
  std::vector<zip::NewEntry> entries;
  for (const zip::Entry& entry : archive.entries()) {
    SourcePtr content = archive.open(entry);
    if (entry.name == kWeights) {
      content = patched_source(
          exchange_all(checkpoint, content, read_model_texts(archive, options.limits), options, findings));
    }
    const std::uint64_t bytes = content->size();
    entries.push_back({.name = entry.name,
                       .content = {.name = entry.name,
                                   .source = std::move(content),
                                   .runs = {.run_bytes = bytes, .total_bytes = bytes}}});
  }
  return zip::plan_stored_archive(std::move(entries), kAlignment);
}

}  // namespace

FilePlan plan_filled(const Checkpoint& checkpoint, const SourcePtr& form, const OpenOptions& options,
                     Findings& findings) {
  if (looks_like_archive(*form)) return plan_archive(checkpoint, form, options, findings);
  if (!looks_like_hdf5(*form)) {
    throw Error(ErrorCode::InvalidArgument, "the template is neither an HDF5 file nor a .keras archive");
  }
  FilePlan plan;
  plan.steps = exchange_all(checkpoint, form, {}, options, findings);
  plan.total_bytes = form->size();
  return plan;
}

}  // namespace weighbridge::keras
