#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include <weighbridge/error.hpp>
#include <weighbridge/hash.hpp>
#include <weighbridge/write.hpp>

#include <openssl/evp.h>

namespace weighbridge {
namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
constexpr std::size_t kDigestBytes = 32;

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_) throw std::bad_alloc();
    check(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
  }

  void update(std::span<const std::byte> bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
  }

  std::string hex() {
    std::array<unsigned char, kDigestBytes> digest{};
    check(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : digest) {
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    }
    return text;
  }

 private:
  static void check(int succeeded) {
    if (succeeded != 1) throw Error(ErrorCode::Unsupported, "this system's OpenSSL computes no SHA-256");
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

/// Hashes `total` bytes that `fill(position, out)` yields piece by piece.
template <typename Fill>
std::string hash_pieces(std::uint64_t total, Fill fill) {
  Sha256 hash;
  std::vector<std::byte> buffer(std::min(total, kPiece));
  for (std::uint64_t at = 0; at < total; at += kPiece) {
    const auto piece = std::span(buffer).first(std::min(kPiece, total - at));
    fill(at, piece);
    hash.update(piece);
  }
  return hash.hex();
}

}  // namespace

std::string sha256(const ByteSource& source) {
  return hash_pieces(source.size(),
                     [&](std::uint64_t at, std::span<std::byte> out) { source.read_at(at, out); });
}

std::string sha256(const TensorEntry& tensor) {
  const ByteRuns runs = tensor_runs(tensor);
  const TensorData& data = tensor.data;
  return hash_pieces(runs.total_bytes, [&](std::uint64_t at, std::span<std::byte> out) {
    read_runs(*data.source, runs, data.transform, at, out);
  });
}

}  // namespace weighbridge
