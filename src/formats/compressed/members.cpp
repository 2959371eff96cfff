#include <algorithm>
#include <utility>

#include "formats/compressed/codecs.hpp"

namespace weighbridge::compressed {
namespace {

class MembersDecoder final : public Decoder {
 public:
  MembersDecoder(DecoderFactory make_member, MemberPadding padding)
      : make_member_(std::move(make_member)), padding_(padding), member_(make_member_()) {}

  DecodeStep step(std::span<const std::byte> in, std::span<std::byte> out, bool last) override {
    if (member_) return step_member(in, out, last);
    if (in.empty()) return {.ended = last};
    if (padding_ == MemberPadding::Zeros && in.front() == std::byte{0}) return skip_zeros(in, last);
    if (padded_) return {.damage = "bytes behind the padding"};
    member_ = make_member_();
    return step_member(in, out, last);
  }

  [[nodiscard]] std::unique_ptr<Decoder> clone() const override {
    std::unique_ptr<Decoder> member = member_ ? member_->clone() : nullptr;
    if (member_ && !member) return nullptr;
    auto copy = std::make_unique<MembersDecoder>(make_member_, padding_);
    copy->member_ = std::move(member);
    copy->padded_ = padded_;
    return copy;
  }

 private:
  DecodeStep step_member(std::span<const std::byte> in, std::span<std::byte> out, bool last) {
    DecodeStep step = member_->step(in, out, last);
    if (!step.ended) return step;
    member_.reset();
    step.ended = last && step.consumed == in.size();
    return step;
  }

  DecodeStep skip_zeros(std::span<const std::byte> in, bool last) {
    const auto end = std::ranges::find_if(in, [](std::byte byte) { return byte != std::byte{0}; });
    padded_ = true;
    return {.consumed = static_cast<std::size_t>(end - in.begin()), .ended = last && end == in.end()};
  }

  DecoderFactory make_member_;
  MemberPadding padding_;
  std::unique_ptr<Decoder> member_;  ///< Null between members.
  bool padded_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_members_decoder(DecoderFactory make_member, MemberPadding padding) {
  return std::make_unique<MembersDecoder>(std::move(make_member), padding);
}

}  // namespace weighbridge::compressed
