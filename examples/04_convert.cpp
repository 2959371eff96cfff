// Converts a checkpoint and tells what there was to notice: ./04_convert INPUT OUTPUT
//
// Planning reads the structure only, so that one can look before anything is written.
#include <cstdio>
#include <filesystem>
#include <string>

#include <weighbridge/weighbridge.hpp>

void print(const weighbridge::Findings& findings) {
  for (const weighbridge::Finding& finding : findings) {
    const std::string severity(weighbridge::severity_name(finding.severity));
    std::printf("%s: %s\n", severity.c_str(), finding.message.c_str());
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s INPUT OUTPUT\n", argv[0]);
    return 2;
  }
  weighbridge::ConvertOptions options;
  options.shared = weighbridge::SharedPolicy::Dedupe;  // tied tensors are stored once
  options.write.overwrite = true;
  try {
    const std::filesystem::path output = argv[2];
    const weighbridge::Conversion conversion =
        weighbridge::plan_conversion(weighbridge::open_file(argv[1]), output.filename().string(), options);
    const weighbridge::FilePlan& plan = conversion.files.front().plan;
    std::printf("%zu tensors, %llu bytes\n", plan.steps.size(),
                static_cast<unsigned long long>(plan.total_bytes));
    const auto folder = weighbridge::open_output_folder(output.parent_path(), options.write);
    const weighbridge::ConvertReport report = weighbridge::write_conversion(conversion, *folder, options);
    print(report.findings);
  } catch (const weighbridge::Error& error) {
    // DangerousContent ends here: the message names what a loader would have run, and where.
    const std::string code(weighbridge::error_code_name(error.code()));
    std::fprintf(stderr, "%s: %s\n", code.c_str(), error.what());
    return 1;
  }
}
