#include <utility>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/edit.hpp>

#include "core/header_edit.hpp"
#include "core/header_rename.hpp"

namespace weighbridge {
namespace {

Metadata edited(Metadata metadata, const MetadataEdit& edit) {
  if (edit.clear) metadata.clear();
  for (const std::string& key : edit.unset) metadata.erase(key);
  for (const auto& [key, value] : edit.set) metadata.insert_or_assign(key, value);
  return metadata;
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

EditPlan plan_edit(const ByteSource& file, const HeaderEdit& edit) {
  const Header header = read_header(file);
  check_renames(header, edit.rename);
  const Metadata wanted = edited(header.metadata(), edit.metadata);

  const Buffer bytes = file.read(0, header.data_begin());
  EditPlan plan;
  plan.before.assign(reinterpret_cast<const char*>(bytes.bytes().data()), bytes.bytes().size());
  plan.after = edit.rename.empty() ? plan.before : rename_in_header(bytes.bytes(), edit.rename);
  if (wanted != header.metadata()) plan.after = header_with_metadata(bytes_of(plan.after), wanted, 0);
  plan.room_at = room_in_header(bytes_of(plan.after));
  return plan;
}

}  // namespace weighbridge
