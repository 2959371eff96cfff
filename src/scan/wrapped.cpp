#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "formats/compressed/compressed.hpp"
#include "formats/tar/archive.hpp"
#include "formats/torch/tar_tables.hpp"
#include "scan/content.hpp"

namespace weighbridge::scanning {
namespace {

using compressed::Codec;
using tar::Member;

/// The first bytes of a tensor are these by chance now and then.
bool has_weak_signature(Codec codec) { return codec == Codec::Zlib || codec == Codec::Lzma; }

const Member* find_member(const std::vector<Member>& members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found == members.end() ? nullptr : &*found;
}

SourcePtr open_member(const Content& content, const Member& member) {
  return sub_source(content.source, member.offset, member.bytes);
}

void note_table_finding(Scan& scan, const std::string& place, const Finding& finding) {
  const bool danger = finding.severity == Severity::Danger;
  const bool unknown = finding.code == "UnknownGlobal";
  scan.evidence.add({.verdict = danger    ? Verdict::Dangerous
                                : unknown ? Verdict::Unknown
                                          : Verdict::Clean,
                     .code = finding.code,
                     .message = finding.message,
                     .place = place,
                     .offset = finding.offset});
}

/// torch of 2016 puts pickles and numbers one behind the other in two tables: only their reader finds all
/// of the pickles.
void scan_tables(Scan& scan, const Content& content, const Member& storages, const Member& tensors) {
  const std::string place = content.place + "!storages, tensors";
  Findings findings;
  try {
    static_cast<void>(torch::parse_tar_tables(open_member(content, storages), open_member(content, tensors),
                                              false, scan.limits, findings));
  } catch (const Error& error) {
    if (error.system_error() != 0) throw;
    scan.evidence.add({.verdict = Verdict::Malformed,
                       .code = std::string(error_code_name(error.code())),
                       .message = error.what(),
                       .place = place,
                       .offset = error.offset()});
  }
  for (const Finding& finding : findings) note_table_finding(scan, place, finding);
}

}  // namespace

bool is_compressed(const ByteSource& source) { return compressed::find_codec(source).has_value(); }

std::string scan_compressed(Scan& scan, const Content& content) {
  const Codec codec = compressed::find_codec(*content.source).value();
  const std::string_view name = compressed::codec_name(codec);
  SourcePtr inner;
  try {
    inner = compressed::decompressed_source(content.source, codec, scan.limits);
  } catch (const Error&) {
    if (!has_weak_signature(codec) || content.depth == 0) throw;
    return scan_pickles(scan, content);
  }
  scan.charge(inner->size());
  Content whole = inside(content, std::move(inner), name);
  whole.is_whole = content.is_whole;
  const std::string format = scan_content(scan, whole);
  return format.empty() ? "" : fmt::format("{}, {}", name, format);
}

std::string scan_tar(Scan& scan, const Content& content) {
  const std::vector<Member> members = tar::read_members(*content.source, scan.limits);
  const Member* storages = find_member(members, "storages");
  const Member* tensors = find_member(members, "tensors");
  const bool tables = storages != nullptr && tensors != nullptr && find_member(members, "pickle") != nullptr;
  if (tables) scan_tables(scan, content, *storages, *tensors);
  bool holds_any = tables;
  for (const Member& member : members) {
    if (tables && (&member == storages || &member == tensors)) continue;
    const std::string format = scan_content(scan, inside(content, open_member(content, member), member.name));
    holds_any = holds_any || !format.empty();
  }
  if (!holds_any) return "";
  return tables ? "torch-tar" : "tar";
}

}  // namespace weighbridge::scanning
