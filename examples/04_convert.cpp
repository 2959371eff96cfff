// Converts a checkpoint and tells what there was to notice: ./04_convert INPUT OUTPUT
//
// Planning reads the structure only, so that one can look before anything is written.
#include <cstdio>
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
    const weighbridge::Conversion conversion =
        weighbridge::plan_conversion(weighbridge::open_file(argv[1]), options);
    std::printf("%zu tensors, %llu bytes\n", conversion.plan.steps.size(),
                static_cast<unsigned long long>(conversion.plan.total_bytes));
    const weighbridge::ConvertReport report = weighbridge::write_conversion(conversion, argv[2], options);
    print(report.findings);
  } catch (const weighbridge::Error& error) {
    // DangerousContent ends here: the message names what a loader would have run, and where.
    const std::string code(weighbridge::error_code_name(error.code()));
    std::fprintf(stderr, "%s: %s\n", code.c_str(), error.what());
    return 1;
  }
}
