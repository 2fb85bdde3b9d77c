// State: one member `serialize` per component gives snapshot, restore, hash and readable dump, so the four can never
// disagree. The archives work on byte buffers (little-endian, fixed widths); iostreams would cost more than the copy.
//
//   class Uart final : public StatefulAs<Uart, Device> {
//     template <class A> void serialize(A& a) { a(field("ier", ier_), field("fifo", fifo_)); }
//
// The virtual functions are not called save/load: cereal would then see two ways to serialise (docs/adr/0002).
#pragma once

#include <cereal/archives/json.hpp>
#include <cereal/cereal.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/check.hpp"
#include "core/types.hpp"

namespace retrov {

/// Appends to a buffer that must outlive it.
class StateWriter : public cereal::OutputArchive<StateWriter, cereal::AllowEmptyClassElision> {
 public:
  explicit StateWriter(std::vector<u8>& out) : OutputArchive(this), out_(out) {}
  void write_bytes(const void* data, std::size_t size_bytes) {
    const u8* bytes = static_cast<const u8*>(data);
    out_.insert(out_.end(), bytes, bytes + size_bytes);
  }

 private:
  std::vector<u8>& out_;
};

/// Reads from a buffer that must outlive it. Throws Error (kBadTrace) at the first byte that is not there: no count
/// read from the buffer is trusted before it has been compared with what is left.
class StateReader : public cereal::InputArchive<StateReader, cereal::AllowEmptyClassElision> {
 public:
  explicit StateReader(std::span<const u8> in) : InputArchive(this), in_(in) {}
  void read_bytes(void* data, std::size_t size_bytes) {
    require(size_bytes);
    if (size_bytes != 0) std::memcpy(data, in_.data(), size_bytes);
    in_ = in_.subspan(size_bytes);
  }
  void require(u64 size_bytes) const {
    if (size_bytes > in_.size()) throw Error(Exit::kBadTrace, "serialised data ends too early");
  }
  [[nodiscard]] std::size_t left_bytes() const { return in_.size(); }

 private:
  std::span<const u8> in_;
};

using StatePrinter = cereal::JSONOutputArchive;

template <class T>
concept PlainNumber = std::is_arithmetic_v<T> && !std::is_floating_point_v<T>;

template <PlainNumber T>
void CEREAL_SAVE_FUNCTION_NAME(StateWriter& archive, const T& value) {
  std::array<u8, sizeof(T)> bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<u8>(static_cast<u64>(value) >> (8 * i));
  archive.write_bytes(bytes.data(), bytes.size());
}

template <PlainNumber T>
void CEREAL_LOAD_FUNCTION_NAME(StateReader& archive, T& value) {
  std::array<u8, sizeof(T)> bytes;
  archive.read_bytes(bytes.data(), bytes.size());
  u64 result = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) result |= u64{bytes[i]} << (8 * i);
  if constexpr (std::is_same_v<T, bool>) {
    value = result != 0;
  } else {
    value = static_cast<T>(result);
  }
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(StateWriter& archive, const cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(StateReader& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(StateWriter& archive, const cereal::SizeTag<T>& tag) {
  archive(static_cast<u64>(tag.size));
}

/// Every element takes at least a byte, so a size beyond what is left is a lie, found before anything is allocated.
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(StateReader& archive, cereal::SizeTag<T>& tag) {
  u64 size = 0;
  archive(size);
  archive.require(size);
  tag.size = static_cast<std::remove_reference_t<T>>(size);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(StateWriter& archive, const cereal::BinaryData<T>& data) {
  archive.write_bytes(data.data, static_cast<std::size_t>(data.size));
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(StateReader& archive, cereal::BinaryData<T>& data) {
  archive.read_bytes(data.data, static_cast<std::size_t>(data.size));
}

/// A field with the name it has in dumps and in divergence reports.
template <class T>
auto field(const char* name, T& value) {
  return cereal::NameValuePair<T&>(name, value);
}

/// Has state that a snapshot must keep. Implement by StatefulAs and one member `serialize`.
class Stateful {
 public:
  virtual ~Stateful() = default;
  virtual void write_state(StateWriter&) const = 0;
  virtual void read_state(StateReader&) = 0;
  virtual void print_state(StatePrinter&) const = 0;
};

template <class Self, class Base = Stateful>
class StatefulAs : public Base {
 public:
  using Base::Base;
  void write_state(StateWriter& out) const final { out(self()); }
  void read_state(StateReader& in) final { in(static_cast<Self&>(*this)); }
  void print_state(StatePrinter& out) const final { out(self()); }

 private:
  // cereal saves through non-const references; serialize changes nothing while saving.
  Self& self() const { return const_cast<Self&>(static_cast<const Self&>(*this)); }
};

/// XXH3 of any bytes: the one hash function of traces, pages and state.
[[nodiscard]] u64 hash_bytes(std::span<const u8> bytes);

/// Hash of exactly the bytes write_state would put in a snapshot.
[[nodiscard]] u64 hash_state(const Stateful&);

}  // namespace retrov

CEREAL_REGISTER_ARCHIVE(retrov::StateWriter)
CEREAL_REGISTER_ARCHIVE(retrov::StateReader)
CEREAL_SETUP_ARCHIVE_TRAITS(retrov::StateReader, retrov::StateWriter)
