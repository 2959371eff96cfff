// The way back to Keras and HDF5.
#include "formats/keras/fill.hpp"

#include "convert/lacking.hpp"
#include "convert/outputs.hpp"
#include "core/output_limit.hpp"
#include "formats/hdf5/layout.hpp"
#include "formats/hdf5/messages.hpp"
#include "formats/keras/read.hpp"

namespace weighbridge {
namespace {

constexpr std::string_view kHdf5 = "HDF5";

void check_form(const ConvertOptions& options) {
  const bool archive = options.to == OutputFormat::Keras;
  if (options.template_file == nullptr) {
    throw Error(ErrorCode::InvalidArgument,
                "a .keras file is made from a template: a saved model of the same architecture (--template)");
  }
  if (keras::looks_like_archive(*options.template_file) == archive) return;
  throw Error(ErrorCode::InvalidArgument, archive
                                              ? "the template is no .keras archive; --to h5 fills HDF5 files"
                                              : "the template is a .keras archive; --to keras fills these");
}

FilePlan plan_output(Checkpoint& checkpoint, const ConvertOptions& options) {
  report_lost_metadata(checkpoint, options.to == OutputFormat::Keras ? "a .keras file" : kHdf5);
  if (options.to == OutputFormat::Hdf5 && options.template_file == nullptr) {
    const auto has = [](const TensorSpec& spec) { return hdf5::has_datatype(spec.dtype); };
    replace_lacking(checkpoint, {.name = kHdf5, .has = has}, options.lacking);
    return hdf5::plan_hdf5(checkpoint);
  }
  check_form(options);
  checkpoint.source_bytes += options.template_file->size();
  return keras::plan_filled(checkpoint, options.template_file, options.open, checkpoint.findings);
}

}  // namespace

std::vector<OutputFile> plan_filled_files(Checkpoint& checkpoint, const std::string& output,
                                          const ConvertOptions& options) {
  std::vector<OutputFile> files;
  files.push_back({.name = output, .plan = plan_output(checkpoint, options)});
  if (!options.allow_dangerous) refuse_dangerous(checkpoint.findings);  // the template's are the output's
  check_output_size(files.front().plan.total_bytes, checkpoint, options.open.limits);
  return files;
}

}  // namespace weighbridge
