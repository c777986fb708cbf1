#pragma once

#include "audit/encoding.hpp"
#include "store/store.hpp"

#include <optional>
#include <vector>

namespace credlease::audit {

/// What a frame of the log holds. The number is part of the format.
enum class FrameKind : std::uint8_t {
    record = 1,  ///< a record
    change = 2,  ///< a record and what its change did to the store
    carried = 3, ///< `log.pruned` and, of the records of the store, those whose last change was pruned
};

/// One record of the store as a change left it. It views the frame that it was read from.
struct StepView {
    store::Table table;
    std::string_view key;
    std::uint64_t revision = 0;
    std::optional<mac::Digest> element; ///< nullopt: erased
};

/// What a change's frame says besides its record: so the log alone can tell which records the store should hold, and
/// names one that was replayed, dropped or added.
struct ChangeNote {
    std::uint64_t number = 0; ///< changes are counted from 1; one that was not made leaves its number to the next
    mac::Digest state{};      ///< `state_of` the store after it
    std::vector<StepView> steps;
};

/// The set hash as head and copies show it, keyed, with the number of changes. In the clear it would give away, by XOR,
/// the share of every record that changes, and whoever knows shares can look for old records that fit together.
[[nodiscard]] mac::Digest state_of(const mac::HeadMac& mac, std::uint64_t number, const mac::SetHash& set);

/// Appends a frame's payload. The shares of the records are masked by a keyed stream.
void write_change(Buffer& out, const mac::HeadMac& mac, const vocabulary::AuditRecord& record, std::uint64_t number,
                  const store::Prepared& prepared);
void write_carried(Buffer& out, const mac::HeadMac& mac, const vocabulary::AuditRecord& record,
                   const std::vector<store::Step>& steps);

/// The record of a frame of any kind.
[[nodiscard]] result::Result<> read_frame(FrameKind kind, Bytes payload, std::uint64_t seq, Decoded& into);
/// What a frame that is not a plain record says besides (`number` 0 for `carried`); nullopt when it can't be read.
[[nodiscard]] std::optional<ChangeNote> read_note(FrameKind kind, Bytes payload, const mac::HeadMac& mac);
/// A change's number, without the rest; 0 when it can't be read.
[[nodiscard]] std::uint64_t read_change_number(Bytes payload);

} // namespace credlease::audit
