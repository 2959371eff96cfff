#include "capi/capi_error.hpp"

#include <new>

#include <weighbridge/version.hpp>

struct wb_error {
  weighbridge::Error error;
};

namespace weighbridge::capi {
namespace {

wb_status to_status(ErrorCode code) noexcept { return static_cast<wb_status>(error_class(code)); }

wb_status keep(const Error& error, wb_error** out) {
  if (out != nullptr) *out = new wb_error{error};
  return to_status(error.code());
}

wb_status rethrow_and_keep(wb_error** out) {
  try {
    throw;
  } catch (const Error& error) {
    return keep(error, out);
  } catch (const std::bad_alloc&) {
    return WB_NO_MEMORY;
  } catch (const std::exception& error) {
    return keep(Error(ErrorCode::InvalidArgument, error.what()), out);
  }
}

}  // namespace

wb_status report_exception(wb_error** error) noexcept {
  try {
    return rethrow_and_keep(error);
  } catch (...) {
    return WB_NO_MEMORY;  // not even the error object could be made
  }
}

}  // namespace weighbridge::capi

using weighbridge::capi::to_c;

extern "C" {

const char* wb_version(void) { return weighbridge::kVersion.data(); }

wb_str wb_error_name(const wb_error* error) {
  return to_c(weighbridge::error_code_name(error->error.code()));
}

wb_str wb_error_message(const wb_error* error) { return to_c(error->error.what()); }

wb_str wb_error_subject(const wb_error* error) { return to_c(error->error.subject()); }

int wb_error_offset(const wb_error* error, uint64_t* offset) {
  const auto known = error->error.offset();
  if (known) *offset = *known;
  return known ? 1 : 0;
}

int wb_error_errno(const wb_error* error) { return error->error.system_error(); }

void wb_error_free(wb_error* error) { delete error; }

}  // extern "C"
