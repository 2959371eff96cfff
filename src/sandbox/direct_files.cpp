#include "sandbox/direct_files.hpp"

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"

namespace weighbridge::sandbox {

const std::filesystem::path& DirectFiles::input(std::size_t number) const {
  if (number >= options_.inputs.size()) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("input {} of {} was asked for", number, options_.inputs.size()));
  }
  return options_.inputs[number];
}

SourcePtr DirectFiles::open_input(std::size_t number) { return open_file(input(number), options_.mode); }

InputFolderPtr DirectFiles::input_folder(std::size_t number) {
  return open_input_folder(input(number).parent_path(), options_.mode);
}

std::string DirectFiles::input_name(std::size_t number) const { return input(number).filename().string(); }

OutputFolder& DirectFiles::output_folder() {
  if (options_.output.empty()) throw Error(ErrorCode::InvalidArgument, "there is no output");
  if (!output_) output_ = open_output_folder(options_.output.parent_path(), options_.write);
  return *output_;
}

void DirectFiles::put_result(std::string_view bytes) {
  check_result_size(options_, result_.size(), bytes.size());
  result_ += bytes;
}

void check_result_size(const WorkerOptions& options, std::size_t already, std::size_t bytes) {
  if (range_fits(already, bytes, options.result_bytes)) return;
  throw Error(ErrorCode::LimitExceeded,
              fmt::format("the result is larger than the {} bytes that it may have", options.result_bytes));
}

}  // namespace weighbridge::sandbox
