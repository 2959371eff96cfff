// Any bytes as a block of entries, as the block that says where it lies, and as the data of a TensorFlow
// checkpoint: checksums are put right, which mutations would never do.
//
//   how the first block is compressed, the block, the index of blocks, the data, sizes of these two
//
// An index of no bytes stands for the right one.
#include <memory>

#include "base/endian.hpp"
#include "every_tensor.hpp"
#include "formats/tensorflow/bundle.hpp"
#include "formats/tensorflow/crc32c.hpp"
#include "formats/tensorflow/object_graph.hpp"
#include "formats/tensorflow/read.hpp"
#include "formats/tensorflow/snappy.hpp"

namespace {

using namespace weighbridge;

constexpr std::size_t kSizeBytes = 4;

struct Input {
  std::string block;
  std::string index;
  std::string data;
  char compression = 0;
};

/// The last `bytes` of `rest`, or all.
std::string take_back(std::string& rest, std::size_t bytes) {
  const std::size_t begin = rest.size() - std::min(rest.size(), bytes);
  std::string taken = rest.substr(begin);
  rest.resize(begin);
  return taken;
}

Input split(std::string bytes) {
  const std::string sizes = take_back(bytes, kSizeBytes);
  Input input;
  input.data = take_back(bytes, load_le<std::uint16_t>(sizes.data() + 2));
  input.index = take_back(bytes, load_le<std::uint16_t>(sizes.data()));
  if (!bytes.empty()) input.compression = bytes.front();
  if (!bytes.empty()) input.block = bytes.substr(1);
  return input;
}

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 127; value >>= 7) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
  return out;
}

std::string seal(std::string block, char compression) {
  block.push_back(compression);
  const std::uint32_t crc = tensorflow::mask_crc(tensorflow::crc32c(std::as_bytes(std::span(block))));
  block.append(4, '\0');
  store_le(block.data() + block.size() - 4, crc);
  return block;
}

/// A table of the block and its index.
std::string table_of(const Input& input) {
  const std::string handle = varint(0) + varint(input.block.size());
  std::string index = input.index;
  if (index.empty()) {
    index = varint(0) + varint(1) + varint(handle.size()) + "~" + handle + std::string("\0\0\0\0\1\0\0\0", 8);
  }
  std::string out = seal(input.block, input.compression);
  std::string footer = handle + varint(out.size()) + varint(index.size());
  footer.resize(40);
  return out + seal(index, 0) + footer + "\x57\xFB\x80\x8B\x24\x75\x47\xDB";
}

/// The one data file, whatever its name.
class OneFile final : public InputFolder {
 public:
  explicit OneFile(std::string content) : content_(std::move(content)) {}
  SourcePtr find(std::string_view, Links) const override { return memory_source(Buffer::take(content_)); }

 private:
  std::string content_;
};

template <class Action>
void attempt(const Action& action) {
  try {
    action();
  } catch (const Error&) {
    // Refusing is an answer.
  }
}

void read_all(const Input& input, bool variable_names) {
  OpenOptions options = fuzz::small_options();
  options.folder = std::make_shared<OneFile>(input.data);
  options.input_name = "m.index";
  options.variable_names = variable_names;
  const Checkpoint checkpoint = tensorflow::read(memory_source(Buffer::take(table_of(input))), options);
  for (const TensorEntry& tensor : checkpoint.tensors) {
    attempt([&] { fuzz::read_tensor(tensor); });  // its checksum is looked at then
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kSizeBytes) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  attempt([&] { std::ignore = tensorflow::unpack_snappy(bytes, fuzz::kMostBytes); });
  attempt([&] { std::ignore = tensorflow::read_variable_names(bytes); });
  const Input input = split(bytes);
  attempt([&] { read_all(input, false); });
  attempt([&] { read_all(input, true); });
  return 0;
}
