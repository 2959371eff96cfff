#include <weighbridge/write.hpp>

#include <fmt/format.h>

namespace weighbridge {

std::string_view write_method_name(WriteMethod method) noexcept {
  switch (method) {
    case WriteMethod::Cached:
      return "cached";
    case WriteMethod::Streamed:
      return "streamed";
    case WriteMethod::Uncached:
      return "uncached";
    case WriteMethod::Direct:
      return "direct";
    case WriteMethod::Mapped:
      return "mapped";
    default:
      return "auto";
  }
}

std::string explain(const WriteReport& report) {
  std::string text = fmt::format("wrote {} bytes with {} thread{}, {}", report.bytes_written, report.threads,
                                 report.threads == 1 ? "" : "s", write_method_name(report.method));
  if (report.io_uring) text += " (io_uring)";
  if (!report.why.empty()) text += fmt::format(" because {}", report.why);
  text += fmt::format("; {} bytes were copied inside the kernel", report.bytes_copied_in_kernel);
  text +=
      report.verified ? "; every byte was read back and compared with its source" : "; nothing was read back";
  return text;
}

}  // namespace weighbridge
