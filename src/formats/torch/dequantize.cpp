#include "formats/torch/dequantize.hpp"

#include <bit>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "formats/torch/computed_source.hpp"
#include "formats/torch/plain.hpp"
#include "formats/torch/quantized.hpp"

namespace weighbridge::torch {
namespace {

/// How torch computes: what is rounded to float, and when.
enum class Formula : std::uint8_t {
  PerTensor,         ///< float(scale) * float(q - int32(zero_point))
  PerChannel,        ///< float((float(q) - float(zero_point)) * scale), the product in double
  PerChannelFloats,  ///< (float(q) - zero_point) * scale
};

struct Channel {
  double scale = 0;
  std::int64_t zero_point = 0;
  float float_zero_point = 0;
};

double real_at(const Operand& operand, const std::byte* bytes, std::size_t i) {
  if (operand.type->bytes == 8) return std::bit_cast<double>(load_le<std::uint64_t>(bytes + i * 8));
  return static_cast<double>(std::bit_cast<float>(load_le<std::uint32_t>(bytes + i * 4)));
}

std::vector<Channel> read_channels(const Quantization& from) {
  const auto scales = Content(from.scale).read_all();
  const auto zeros = Content(from.zero_point).read_all();
  std::vector<Channel> channels(from.channels);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    channels[i].scale = real_at(from.scale, scales.data(), i);
    if (from.zero_point.type->name == "int64") {
      channels[i].zero_point = load_le<std::int64_t>(zeros.data() + i * 8);
    } else {
      channels[i].float_zero_point = static_cast<float>(real_at(from.zero_point, zeros.data(), i));
    }
  }
  return channels;
}

float dequantize(Formula formula, const Channel& channel, std::int32_t q) {
  switch (formula) {
    case Formula::PerTensor: {
      const auto difference = static_cast<std::uint32_t>(q) - static_cast<std::uint32_t>(channel.zero_point);
      return static_cast<float>(channel.scale) * static_cast<float>(static_cast<std::int32_t>(difference));
    }
    case Formula::PerChannel: {
      const float difference = static_cast<float>(q) - static_cast<float>(channel.zero_point);
      return static_cast<float>(static_cast<double>(difference) * channel.scale);
    }
    default:
      return (static_cast<float>(q) - channel.float_zero_point) * static_cast<float>(channel.scale);
  }
}

/// The integers of one stored unit: a whole one, or those packed into a byte, low bits first.
std::int32_t integer_at(const ElementType& type, const std::byte* in, std::uint64_t i) {
  const std::uint64_t per_byte = integers_per_byte(type);
  if (per_byte > 1) {
    const auto bits = static_cast<unsigned>(8 / per_byte);
    const unsigned byte = std::to_integer<unsigned>(in[i / per_byte]);
    return static_cast<std::int32_t>((byte >> (i % per_byte * bits)) & ((1U << bits) - 1U));
  }
  if (type.name == "qint32") return load_le<std::int32_t>(in + i * 4);
  return type.name == "qint8" ? load_le<std::int8_t>(in + i) : load_le<std::uint8_t>(in + i);
}

/// Dequantises runs of integers; the scales are read with the first of them.
class Dequantizer {
 public:
  Dequantizer(const ElementType& type, Quantization quantization, Formula formula)
      : type_(type), quantization_(std::move(quantization)), formula_(formula) {}

  void run(std::uint64_t first_unit, std::span<std::byte> out, const std::byte* in) {
    const auto& channels = get_channels();
    const std::uint64_t first = first_unit * integers_per_byte(type_);
    std::uint64_t left = quantization_.inner - first % quantization_.inner;
    std::uint64_t channel = first / quantization_.inner % quantization_.channels;
    for (std::uint64_t i = 0; i < out.size() / 4; ++i) {
      const float value = dequantize(formula_, channels[channel], integer_at(type_, in, i));
      store_le(out.data() + i * 4, std::bit_cast<std::uint32_t>(value));
      if (--left > 0) continue;
      left = quantization_.inner;
      if (++channel == quantization_.channels) channel = 0;
    }
  }

 private:
  const std::vector<Channel>& get_channels() {
    const std::lock_guard lock(mutex_);
    if (!channels_) channels_ = read_channels(quantization_);
    return *channels_;
  }

  const ElementType& type_;
  Quantization quantization_;
  Formula formula_;
  std::mutex mutex_;
  std::optional<std::vector<Channel>> channels_;
};

Formula formula_of(const Subject& subject, const Quantization& quantization, bool per_channel) {
  const std::string_view scale = quantization.scale.type->name;
  const std::string_view zero = quantization.zero_point.type->name;
  if (!per_channel) return Formula::PerTensor;
  if (scale == "float64" && zero == "int64") return Formula::PerChannel;
  if (scale == "float32" && zero == "float32") return Formula::PerChannelFloats;
  refuse(subject, fmt::format("scales of {} with zero points of {}", scale, zero));
}

std::string key_of(const Operand& integers, const Quantization& quantization, const Shape& shape) {
  return fmt::format("dequantized {} {} | {} | {} | {} {}", integers.type->name, Content(integers).identity(),
                     Content(quantization.scale).identity(), Content(quantization.zero_point).identity(),
                     shape_text(shape), quantization.inner);
}

}  // namespace

TensorEntry dequantized(const Subject& subject, const Operand& integers, const Shape& shape,
                        const Quantization& quantization, bool per_channel) {
  const Formula formula = formula_of(subject, quantization, per_channel);
  const std::uint64_t bytes = times(subject, count_of(subject, shape), 4);
  const auto make = [&] {
    const auto dequantizer = std::make_shared<Dequantizer>(*integers.type, quantization, formula);
    return elementwise_source(
        Content(integers), bytes, 4 * integers_per_byte(*integers.type),
        [dequantizer](std::uint64_t first, std::span<const std::byte> in, std::span<std::byte> out) {
          dequantizer->run(first, out, in.data());
        });
  };
  return computed_entry(subject.name, DType::F32, shape,
                        subject.document.computed->find_or_make(key_of(integers, quantization, shape), make));
}

}  // namespace weighbridge::torch
