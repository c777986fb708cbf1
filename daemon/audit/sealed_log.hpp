#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <filesystem>

namespace credlease::audit {

/// What happened while sealed, when nothing can be chained: counts of starts, stops and refused unseals in
/// DATA/sealed.log, unauthenticated; recorded as such first thing at unseal, then emptied.
class SealedLog {
  public:
    struct Counts {
        std::uint32_t starts = 0, stops = 0, refused_unseals = 0;
        bool operator==(const Counts&) const = default;
    };
    explicit SealedLog(std::filesystem::path file) : file_(std::move(file)) {}

    void note_start();
    void note_stop();
    void note_refused_unseal();
    [[nodiscard]] Counts read() const;
    void clear();

  private:
    std::filesystem::path file_;
};

} // namespace credlease::audit
