#include <algorithm>
#include <array>

#include <weighbridge/diff.hpp>
#include <weighbridge/text.hpp>

#include <CLI/App.hpp>
#include <fmt/format.h>

#include "cli/help.hpp"
#include "cli/json.hpp"
#include "cli/several.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Tells what is different between two files, of whatever formats: names, shapes, dtypes, and the numbers "
    "themselves. Exits with 0 when nothing is, with 1 when something is.";

struct Options {
  Input input;
  std::string left;
  std::string right;
  DiffOptions diff;
  bool all = false;
};

void declare(CLI::App& app, Options& options) {
  add_file(app, options.left, "A", "A checkpoint; its format is told by its content.");
  add_file(app, options.right, "B", "The other one.");
  add_flag(app, "--names-only", options.diff.names_only, "Compare names, shapes and dtypes; read no tensor.");
  add_flag(app, "--ignore-dtype", options.diff.ignore_dtype,
           "The same numbers in another dtype are no difference.");
  add_value(app, "--atol", options.diff.atol, "X",
            "Numbers are equal when they differ by at most X ... Default: 0.")
      ->check(CLI::NonNegativeNumber);
  add_value(app, "--rtol", options.diff.rtol, "Y", "... plus Y times the larger of the two. Default: 0.")
      ->check(CLI::NonNegativeNumber);
  add_flag(app, "--all", options.all, "List the tensors that are not different, too.");
  add_policies(app, options.input.open);
  add_json(app, options.input.json);
  add_examples(app,
               {{"Did the conversion keep everything?", "weighbridge diff model.pt model.safetensors"},
                {"What did rounding cost?", "weighbridge diff model.safetensors model-bf16.safetensors"}});
}

struct KindText {
  DiffKind kind;
  std::string_view name;  ///< In JSON.
  std::string_view text;
};

constexpr std::array kKinds = {
    KindText{DiffKind::Identical, "identical", "identical"},
    KindText{DiffKind::Equal, "equal", "equal"},
    KindText{DiffKind::OtherDType, "dtype", "dtype"},
    KindText{DiffKind::Values, "values", "values"},
    KindText{DiffKind::OtherShape, "shape", "shape"},
    KindText{DiffKind::OnlyLeft, "only_left", "only in A"},
    KindText{DiffKind::OnlyRight, "only_right", "only in B"},
};

const KindText& text_of(DiffKind kind) { return *std::ranges::find(kKinds, kind, &KindText::kind); }

bool has_values(const TensorDiff& diff) {
  return diff.values.numbers > 0 && diff.kind != DiffKind::Identical;
}

std::string spec_text(const TensorDiff& diff) {
  const auto one = [](const TensorSpec& spec) {
    return fmt::format("{} {}", dtype_name(spec.dtype), shape_text(spec.shape));
  };
  if (!diff.left || !diff.right) return one(diff.left ? *diff.left : *diff.right);
  const std::string left = one(*diff.left);
  const std::string right = one(*diff.right);
  return left == right ? left : fmt::format("{} | {}", left, right);
}

std::string values_text(const ValueDiff& values) {
  std::string text = fmt::format(": {} of {} numbers different, by {:.3g} at most, relatively {:.3g}",
                                 values.different, values.numbers, values.max_abs, values.max_rel);
  if (values.cosine) text += fmt::format(", cosine {:.9g}", *values.cosine);
  if (values.nan_left + values.nan_right > 0) {
    text += fmt::format(", NaN in A alone {}, in B alone {}", values.nan_left, values.nan_right);
  }
  return text;
}

void print_report(const Options& options, const DiffReport& report) {
  std::array<std::uint64_t, kKinds.size()> counts{};
  for (const TensorDiff& diff : report.tensors) {
    ++counts[static_cast<std::size_t>(diff.kind)];
    const bool quiet = diff.kind == DiffKind::Identical || diff.kind == DiffKind::Equal;
    if (quiet && !options.all) continue;
    fmt::print("{:<9}  {}  {}{}\n", text_of(diff.kind).text, printable(diff.name), spec_text(diff),
               has_values(diff) ? values_text(diff.values) : "");
  }
  std::string sums;
  for (const KindText& kind : kKinds) {
    const std::uint64_t count = counts[static_cast<std::size_t>(kind.kind)];
    if (count > 0) sums += fmt::format(", {} {}", count, kind.text);
  }
  fmt::print("{}{}\n", count_text(report.tensors.size(), "tensor"), sums);
}

Json spec_json(const std::optional<TensorSpec>& spec) {
  if (!spec) return nullptr;
  return {{"dtype", dtype_name(spec->dtype)}, {"shape", spec->shape}};
}

Json values_json(const ValueDiff& values) {
  return {{"numbers", values.numbers},
          {"different", values.different},
          {"nan_left", values.nan_left},
          {"nan_right", values.nan_right},
          {"max_abs", values.max_abs},
          {"max_rel", values.max_rel},
          {"cosine", values.cosine ? Json(*values.cosine) : Json(nullptr)}};
}

Json report_json(const Options& options, const DiffReport& report) {
  Json json = document("diff");
  json["left"] = options.left;
  json["right"] = options.right;
  json["same"] = report.same;
  json["tensors"] = Json::array();
  for (const TensorDiff& diff : report.tensors) {
    Json tensor = {{"name", diff.name}, {"kind", text_of(diff.kind).name}};
    tensor["left"] = spec_json(diff.left);
    tensor["right"] = spec_json(diff.right);
    tensor["values"] = has_values(diff) ? values_json(diff.values) : Json(nullptr);
    json["tensors"].push_back(std::move(tensor));
  }
  return json;
}

WorkerOptions prepare(const Options& options) {
  WorkerOptions worker = options.input.worker;
  worker.inputs = {file_to_read(options.left), file_to_read(options.right)};
  return worker;
}

int execute(const Options& options, WorkerFiles& files) {
  const Checkpoint left = open_one(files, 0, options.left, options.input.open);
  const Checkpoint right = open_one(files, 1, options.right, options.input.open);
  const CancelOnSignal cancel;
  DiffOptions diff = options.diff;
  diff.cancel = CancelOnSignal::flag();
  const DiffReport report = diff_checkpoints(left, right, diff);
  if (options.input.json) {
    print_json(stdout, report_json(options, report));
  } else {
    print_report(options, report);
  }
  return report.same ? kOk : kBadInput;
}

}  // namespace

void add_diff(CLI::App& app, Invocation& invocation) {
  add_worker_verb<Options>(app, invocation, "diff", kPurpose, declare, prepare, execute);
}

}  // namespace weighbridge::cli
