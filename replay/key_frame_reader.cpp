#include "replay/key_frame_reader.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "core/check.hpp"

namespace retrov {

namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(Exit::kBadTrace, what); }

/// The numbered pages of a trace. Those that somebody holds are not read again.
class StoredPages {
 public:
  StoredPages(std::span<const FrameInfo> frames, FrameLoader load) : load_(std::move(load)) {
    for (const FrameInfo& frame : frames) {
      if (frame.kind != FrameKind::kPages) continue;
      if (frame.raw_bytes % kPageBytes != 0) refuse("a frame of pages that holds a part of one");
      frames_.push_back({frame, count_});
      count_ += frame.raw_bytes / kPageBytes;
    }
  }
  [[nodiscard]] u64 count() const { return count_; }
  [[nodiscard]] std::vector<u8> load_frame(const FrameInfo& frame) const { return load_(frame); }

  /// Ascending numbers, counted from 0. A page of zeros is null.
  std::map<u32, PagePointer> get(const std::vector<u32>& numbers) {
    const std::lock_guard lock(mutex_);
    std::map<u32, PagePointer> result;
    std::vector<u8> bytes;
    const Numbered* loaded = nullptr;
    for (const u32 number : numbers) {
      std::weak_ptr<const Page>& known = known_[number];
      PagePointer page = known.lock();
      if (page == nullptr) {
        const Numbered& frame = frame_of(number);
        if (&frame != loaded) bytes = load_(frame.info);
        loaded = &frame;
        page = PageTree::make_page(std::span<const u8, kPageBytes>(&bytes[(number - frame.first) * kPageBytes],
                                                                   kPageBytes));
        known = page;
      }
      result.emplace_hint(result.end(), number, std::move(page));
    }
    return result;
  }

 private:
  struct Numbered {
    FrameInfo info;
    u64 first = 0;
  };
  [[nodiscard]] const Numbered& frame_of(u64 number) const {
    const auto behind = std::upper_bound(frames_.begin(), frames_.end(), number,
                                         [](u64 wanted, const Numbered& frame) { return wanted < frame.first; });
    return *std::prev(behind);
  }

  const FrameLoader load_;
  std::vector<Numbered> frames_;
  u64 count_ = 0;
  std::mutex mutex_;
  std::map<u32, std::weak_ptr<const Page>> known_;
};

class FileKeyFrame final : public StoredKeyFrame {
 public:
  FileKeyFrame(std::shared_ptr<StoredPages> pages, std::vector<FrameInfo> pieces)
      : pages_(std::move(pages)), pieces_(std::move(pieces)) {}

  [[nodiscard]] KeyFrame load(const PageTree& initial_ram) const override {
    std::vector<PagePointer> initial;
    initial_ram.for_each([&](u64 index, const Page&) { initial.push_back(initial_ram.share(index)); });
    KeyFrameBody body = decode_key_frame(read_pieces(), initial.size() + pages_->count());
    if (body.foreign) refuse("another form of the state, which this build cannot read");
    const std::map<u32, PagePointer> pages = pages_->get(wanted(body, initial.size()));
    auto kept = std::make_shared<KeptSnapshot>(*body.frame.state);
    for (const auto& runs : body.trees) {
      PageTree& tree = kept->machine.trees.emplace_back();
      for (const PageNumbers::Run& run : runs) {
        for (u64 i = 0; i < run.count; ++i) {
          const u64 number = run.number + i - 1;
          tree.put(run.index + i, number < initial.size()
                                      ? initial[number]
                                      : pages.at(static_cast<u32>(number - initial.size())));
        }
      }
    }
    body.frame.state = std::move(kept);
    body.frame.initial_ram = initial_ram;
    return std::move(body.frame);
  }

 private:
  [[nodiscard]] std::vector<u8> read_pieces() const {
    std::vector<u8> body;
    for (const FrameInfo& piece : pieces_) {
      const std::vector<u8> payload = pages_->load_frame(piece);
      body.insert(body.end(), payload.begin() + 1, payload.end());
    }
    return body;
  }

  /// Numbers of the pages that are not in the initial memory, ascending.
  static std::vector<u32> wanted(const KeyFrameBody& body, u64 initial) {
    std::vector<u32> numbers;
    for (const auto& runs : body.trees) {
      for (const PageNumbers::Run& run : runs) {
        for (u64 i = 0; i < run.count; ++i) {
          if (run.number + i > initial) numbers.push_back(static_cast<u32>(run.number + i - 1 - initial));
        }
      }
    }
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers;
  }

  const std::shared_ptr<StoredPages> pages_;
  const std::vector<FrameInfo> pieces_;
};

}  // namespace

std::vector<FoundKeyFrame> find_key_frames(std::span<const FrameInfo> frames, FrameLoader load) {
  std::vector<FoundKeyFrame> found;
  const auto pages = std::make_shared<StoredPages>(frames, load);
  std::vector<FrameInfo> pieces;
  KeyFrameHead head;
  u64 size_bytes = 0;
  for (const FrameInfo& frame : frames) {
    if (frame.kind != FrameKind::kKeyFrame) continue;
    const std::vector<u8> payload = load(frame);
    if (payload.empty() || payload.front() > 1) refuse("a piece of a key frame that is none");
    if (pieces.empty()) {
      head = decode_key_frame_head(std::span(payload).subspan(1));
      size_bytes = 0;
    }
    pieces.push_back(frame);
    size_bytes += payload.size() - 1;
    if (size_bytes > kMaxKeyFrameBytes) refuse("key frame that is too long");
    if (payload.front() == 0) continue;
    if (found.size() >= kMaxKeyFrames) refuse("too many key frames");
    const FrameInfo first = pieces.front();
    found.push_back({head.branch, {head.at, std::make_shared<FileKeyFrame>(pages, std::exchange(pieces, {}))}, first});
  }
  return found;
}

}  // namespace retrov
