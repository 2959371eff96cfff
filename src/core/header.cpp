#include <utility>

#include <weighbridge/header.hpp>

#include <fmt/format.h>

#include "core/header_data.hpp"
#include "core/header_index.hpp"
#include "core/header_report.hpp"
#include "core/name_order.hpp"

namespace weighbridge {

Header::Header() : data_(std::make_shared<const Data>()) {}
Header::Header(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}
Header::~Header() = default;
Header::Header(const Header&) = default;
Header::Header(Header&&) noexcept = default;
Header& Header::operator=(const Header&) = default;
Header& Header::operator=(Header&&) noexcept = default;

std::size_t Header::size() const noexcept { return data_->tensors.size(); }

TensorInfo Header::operator[](std::size_t i) const& noexcept {
  const TensorRecord& tensor = data_->tensors[i];
  return {.name = data_->view(tensor.name),
          .dtype = tensor.dtype,
          .shape = data_->shape(tensor),
          .begin = tensor.begin,
          .end = tensor.end,
          .header_offset = file_offset(tensor)};
}

std::string_view Header::name(std::size_t i) const& noexcept { return data_->name(i); }

std::pmr::vector<std::string_view> Header::sorted_names() const& {
  const auto order = order_names(*data_).positions;
  std::pmr::vector<std::string_view> names(size(), data_->tensors.get_allocator());
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = data_->name(order[i]);
  return names;
}

std::optional<std::size_t> Header::find(std::string_view name) const noexcept {
  return find_name(*data_, name);
}

TensorInfo Header::get(std::string_view name) const& {
  if (const auto found = find(name)) return (*this)[*found];
  throw Error(ErrorCode::TensorNotFound,
              fmt::format("there is no tensor '{}' among the {} of the file", short_text(name), size()),
              std::string(name));
}

bool Header::has_metadata() const noexcept { return data_->has_metadata; }

std::size_t Header::metadata_size() const noexcept { return data_->metadata.size(); }

std::pair<std::string_view, std::string_view> Header::metadata_at(std::size_t i) const& noexcept {
  const MetadataRecord& record = data_->metadata[i];
  return {data_->view(record.key), data_->view(record.value)};
}

Metadata Header::metadata() const {
  Metadata pairs;
  for (const MetadataRecord& record : data_->metadata) {
    pairs.emplace_hint(pairs.end(), data_->view(record.key), data_->view(record.value));
  }
  return pairs;
}

std::uint64_t Header::data_begin() const noexcept { return data_->data_begin; }

std::uint64_t Header::data_bytes() const noexcept { return data_->data_bytes; }

}  // namespace weighbridge
