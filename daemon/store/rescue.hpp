#pragma once

#include "result/result.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string_view>

namespace credlease::store {

/// DATA/rescue: room on the disk for what the store refuses and nobody can get again. It is allocated beforehand, so
/// that a full disk does not matter, in slots of one size. What lies in one vouches for itself. Every call blocks: on
/// `commit`, or before the loop runs.
class Rescue {
  public:
    static constexpr std::size_t slot_size = std::size_t{32} << 10; ///< bytes, 8 of them for the slot's own head
    static constexpr std::size_t slots = 256;

    /// Where something lies. It means nothing once another file is in the place of the one that it was put into.
    struct Place {
        std::uint64_t file = 0;
        std::size_t slot = 0;
    };

    explicit Rescue(std::filesystem::path path) : path_(std::move(path)) {}
    ~Rescue();
    Rescue(const Rescue&) = delete;
    Rescue& operator=(const Rescue&) = delete;

    /// Opens or makes the file; its bytes and its name are on the disk when it returns. `store_unavailable`.
    [[nodiscard]] result::Result<> open();
    /// Durable when it returns. A file that was moved, removed or never made is made first. `store_unavailable`: no
    /// file, no free slot, too long, or the disk does not take it.
    [[nodiscard]] result::Result<Place> put(std::string_view bytes);
    /// Overwrites it. What could not be overwritten is found again by `read`.
    [[nodiscard]] result::Result<> clear(const Place& place);
    /// Shows every slot that is not free. Empty bytes: what was to lie there is not whole.
    void read(const std::function<void(const Place&, std::string_view)>& show);

  private:
    [[nodiscard]] bool is_in_place() const;
    [[nodiscard]] result::Failure unavailable() const;
    void close();

    std::filesystem::path path_;
    int descriptor_ = -1;
    std::uint64_t file_ = 0; ///< counts the files that were opened
    std::set<std::size_t> taken_;
};

} // namespace credlease::store
