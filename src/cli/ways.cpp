#include "cli/ways.hpp"

#include <fmt/format.h>

#include "cli/options.hpp"

namespace weighbridge::cli {

CLI::Option* add_explain(CLI::App& app, bool& explain) {
  return add_flag(app, "--explain", explain, "Say of each file how it was written, and why so.");
}

void print_way(std::FILE* stream, const WriteReport& report) {
  fmt::print(stream, "  {}\n", weighbridge::explain(report));
}

void add_ways(Json& files, const std::vector<WriteReport>& reports) {
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const WriteReport& report = reports[i];
    files[i]["way"] = {{"method", write_method_name(report.method)},
                       {"why", report.why},
                       {"threads", report.threads},
                       {"io_uring", report.io_uring},
                       {"bytes_copied_in_kernel", report.bytes_copied_in_kernel},
                       {"verified", report.verified}};
  }
}

}  // namespace weighbridge::cli
