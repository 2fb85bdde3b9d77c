// Traces that a live session records, with key frames, of guests with and without a disk.
#pragma once

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "replay/session.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "tests/support/guest_bench.hpp"
#include "tests/support/trace_samples.hpp"

namespace retrov::test {

/// An image with the bytes i * 7 + i / 512.
inline void write_image(const std::string& path, std::size_t size_bytes) {
  std::vector<u8> content;
  for (std::size_t i = 0; i < size_bytes; ++i) content.push_back(static_cast<u8>(i * 7 + i / 512));
  write_file(path, content);
}

inline BoardConfig board_with_disk(const std::string& guest, u64 size_bytes) {
  BoardConfig board = guest_board(guest);
  DiskConfig disk;
  disk.size_bytes = size_bytes;
  disk.id = "x0";
  board.disks.push_back(disk);
  return board;
}

/// Of a guest that needs no keys.
inline LiveSetup setup_of(BoardConfig board, std::vector<std::string> images, HistoryListener* listener,
                          u64 key_frame_steps) {
  LiveSetup setup;
  setup.board = std::move(board);
  setup.disk_images = std::move(images);
  setup.inputs.clock = ClockMode::kVirtual;
  setup.listener = listener;
  setup.key_frames = {KeyFramePolicy::kEvery, key_frame_steps};
  return setup;
}

/// Records to the end. The hash is that of the last state.
inline u64 record_to(const std::string& path, const BoardConfig& board, const std::vector<std::string>& images,
                     u64 key_frame_steps) {
  TraceWriter writer(path, board, this_build());
  Screen screen;
  const auto session = Session::live(setup_of(board, images, &writer, key_frame_steps), screen);
  (void)session->resume(Direction::kForward);
  session->finish(Outcome::Kind::kStopped);
  return session->hash();
}

/// Which blocks are told.
inline std::vector<u64> blocks_in(const TraceReader& trace) {
  std::vector<u64> indices;
  for (const std::string& line : lines_of(trace)) {
    if (!line.starts_with("block ")) continue;
    const std::size_t colon = line.find(": ");
    const std::size_t space = line.find(' ', colon + 2);
    indices.push_back(std::stoull(line.substr(space + 1)));
  }
  return indices;
}

}  // namespace retrov::test
