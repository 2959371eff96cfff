#include <charconv>
#include <utility>

#include <weighbridge/edit.hpp>
#include <weighbridge/text.hpp>

#include <CLI/App.hpp>
#include <fmt/format.h>

#include "cli/errors.hpp"
#include "cli/help.hpp"
#include "cli/json.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Shows or changes metadata and tensor names of a safetensors file. No tensor is moved where the header "
    "has room for what is new; otherwise a new file takes the place of the old one. At every moment there is "
    "the one or the other.";

/// Of the worker's result: two headers, and the line in front of them.
constexpr std::uint64_t kMostPlan = 2 * 100'000'008 + 100;

struct Options {
  Input input;
  std::vector<std::string> set;
  std::vector<std::string> unset;
  std::vector<std::string> rename;
  bool clear = false;
  EditOptions edit;
  bool in_place = false;
  bool explain = false;
};

void add_repeatable(CLI::App& app, std::string_view name, std::vector<std::string>& target,
                    std::string_view placeholder, std::string_view description) {
  add_value(app, name, target, placeholder, description)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void declare(CLI::App& app, Options& options) {
  add_file(app, options.input.file, "FILE", "A safetensors file. Without options its metadata is shown.");
  add_repeatable(app, "--set", options.set, "KEY=VALUE", "Give a key of the metadata a value. Repeatable.");
  add_repeatable(app, "--unset", options.unset, "KEY", "Drop a key, if it is there. Repeatable.");
  add_flag(app, "--clear", options.clear, "Drop all keys first.");
  add_repeatable(app, "--rename", options.rename, "OLD=NEW",
                 "Give a tensor another name. Repeatable; all at once, so that names can be exchanged.");
  add_size(app, "--slack", options.edit.slack,
           "Keep this much room in a header that is written anew, for later edits. Default: 0.");
  add_flag(
      app, "--insert", options.edit.insert,
      "Let the file system insert blocks for a longer header (ext4, XFS): fast for files of any size, with "
      "a weaker promise for a crash.");
  add_flag(app, "--in-place", options.in_place, "Fail where the file would have to be written anew.");
  add_choice<Durability>(app, "--durability", options.edit.write.durability,
                         {{"none", Durability::None}, {"data", Durability::Data}, {"full", Durability::Full}},
                         "What must be on the disk before success is reported: nothing, the file, or the "
                         "file and its folder. Default: none.");
  add_flag(app, "--explain", options.explain, "Say how the file was changed, and why so.");
  add_json(app, options.input.json);
  add_sandbox(app, options.input.worker);
  add_examples(app,
               {{"What does the file say of itself?", "weighbridge meta model.safetensors"},
                {"Add a note", "weighbridge meta model.safetensors --set 'license=Apache-2.0'"},
                {"Exchange two tensors", "weighbridge meta model.safetensors --rename a=b --rename b=a"}});
}

bool is_edit(const Options& options) {
  return options.clear || !options.set.empty() || !options.unset.empty() || !options.rename.empty();
}

// At the first '=': keys and names that have one can be given to the library only.
std::pair<std::string, std::string> parse_pair(std::string_view option, std::string_view what,
                                               const std::string& text) {
  const std::size_t at = text.find('=');
  if (at != std::string::npos) return {text.substr(0, at), text.substr(at + 1)};
  throw Error(ErrorCode::InvalidArgument, fmt::format("{}: '{}' is no {}", option, printable(text), what));
}

HeaderEdit edit_of(const Options& options) {
  HeaderEdit edit;
  edit.metadata = {.clear = options.clear, .unset = options.unset};
  for (const std::string& text : options.set) {
    auto [key, value] = parse_pair("--set", "KEY=VALUE", text);
    edit.metadata.set.insert_or_assign(std::move(key), std::move(value));
  }
  for (const std::string& text : options.rename) {
    auto [from, to] = parse_pair("--rename", "OLD=NEW", text);
    edit.rename.push_back({std::move(from), std::move(to)});
  }
  return edit;
}

SourcePtr open_safetensors(WorkerFiles& files) {
  SourcePtr source = files.open_input();
  const auto format = find_format(*source);
  if (!format || *format == "safetensors") return source;
  throw Error(ErrorCode::Unsupported,
              fmt::format("this is {}; only the header of a safetensors file is shown and changed", *format));
}

int show(const Options& options, WorkerFiles& files) {
  const Header header = read_header(*open_safetensors(files));
  if (options.input.json) {
    Json json = document("meta");
    json["file"] = options.input.file;
    json["metadata"] = metadata_json(header.has_metadata() ? std::optional(header.metadata()) : std::nullopt);
    print_json(stdout, json);
    return kOk;
  }
  for (std::size_t i = 0; i < header.metadata_size(); ++i) {
    const auto [key, value] = header.metadata_at(i);
    fmt::print("{}: {}\n", printable(key), printable(value));
  }
  return kOk;
}

void put_plan(const EditPlan& plan, WorkerFiles& files) {
  files.put_result(fmt::format("{} {}\n", plan.before.size(), plan.room_at));
  files.put_result(plan.before);
  files.put_result(plan.after);
}

/// What a worker has put; execute_edit checks the rest. A worker that puts something else is no worker.
EditPlan parse_plan(std::string_view bytes) {
  std::uint64_t before = 0;
  EditPlan plan;
  const char* end = bytes.data() + bytes.size();
  const auto first = std::from_chars(bytes.data(), end, before);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == ' ') {
    const auto second = std::from_chars(first.ptr + 1, end, plan.room_at);
    if (second.ec == std::errc() && second.ptr != end && *second.ptr == '\n') {
      const std::string_view texts(second.ptr + 1, end);
      plan.before = texts.substr(0, before);
      plan.after = texts.substr(plan.before.size());
      return plan;
    }
  }
  throw Error(ErrorCode::WorkerStopped, "the process that reads the file gave no plan");
}

void report_edit(const Options& options, const EditReport& report) {
  if (options.input.json) {
    Json json = document("edit");
    json["file"] = options.input.file;
    json["changed"] = report.changed;
    json["in_place"] = report.in_place;
    json["bytes_written"] = report.bytes_written;
    json["bytes_inserted"] = report.bytes_inserted;
    json["why"] = report.why;
    print_json(stdout, json);
    return;
  }
  const std::string file = printable(options.input.file);
  if (!report.changed) {
    fmt::print("{}: nothing to change\n", file);
    return;
  }
  const std::string_view way = report.in_place ? "changed in place" : "written anew";
  fmt::print("{}: {}, {}\n", file, way, size_text(report.bytes_written));
  if (options.explain) fmt::print("  {} because {}\n", way, report.why);
}

int edit(const Invocation& invocation, const Options& options, WorkerOptions worker) {
  const HeaderEdit edit = edit_of(options);
  finish_edit(options.input.file);
  worker.result_bytes = kMostPlan;
  const WorkerResult result = work_in_worker(invocation, worker, [&](WorkerFiles& files) {
    put_plan(plan_edit(*open_safetensors(files), edit), files);
    return kOk;
  });
  if (result.exit_code != kOk) return result.exit_code;
  EditOptions how = options.edit;
  how.rewrite = !options.in_place;
  report_edit(options, execute_edit(options.input.file, parse_plan(result.bytes), how));
  return kOk;
}

int run(const Invocation& invocation, const Options& options) {
  WorkerOptions worker = options.input.worker;
  worker.inputs = {options.input.file};
  if (is_edit(options)) return edit(invocation, options, std::move(worker));
  return run_in_worker(invocation, worker, [&](WorkerFiles& files) { return show(options, files); });
}

}  // namespace

void add_meta(CLI::App& app, Invocation& invocation) {
  CLI::App& verb = add_named(app, "meta", kPurpose);
  const auto options = std::make_shared<Options>();
  declare(verb, *options);
  when_chosen(verb, [options, &invocation] {
    invocation.run = [options, &invocation] { return run(invocation, *options); };
    invocation.file = options->input.file;
    invocation.errors = options->input.json ? stdout : nullptr;
  });
}

}  // namespace weighbridge::cli
