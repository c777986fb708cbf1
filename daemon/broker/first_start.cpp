#include "broker/first_start.hpp"

#include "audit/segment.hpp"
#include "broker/seal_file.hpp"
#include "settings/surroundings.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

namespace fs = std::filesystem;

std::uintmax_t size_of(const fs::path& file) {
    std::error_code failed;
    const auto size = fs::file_size(file, failed);
    return failed ? 0 : size;
}

bool has_head(const settings::Settings& settings) { return size_of(settings.audit.head_file) != 0; }

std::vector<audit::SegmentFile> segments_in(const fs::path& data) { return audit::list_segments(data / "journal"); }

} // namespace

result::Failure no_seal_file(const fs::path& data) {
    return result::refuse({.code = result::ErrorCode::damaged,
                           .sentence = "The store holds records, but its seal file is missing.",
                           .next_step = "Put it back from a copy of the data folder.",
                           .about = result::PublicText::of(seal_file_in(data).native())});
}

result::Result<> check_first_start(const settings::Settings& settings) {
    if (holds_log(settings.places.data)) return no_seal_file(settings.places.data);
    if (auto fault = settings::find_head_fault(settings)) return result::refuse(std::move(*fault));
    if (!has_head(settings)) return {};
    return result::refuse({.code = result::ErrorCode::configuration,
                           .sentence = "The audit head belongs to another store: this one is new. Nothing was written.",
                           .next_step =
                               "Give this broker a key_file and a head_file of its own in a --config. If it is "
                               "the same store, put its data folder back; if that was removed on purpose, "
                               "remove the head too.",
                           .about = result::PublicText::of(settings.audit.head_file.native())});
}

bool holds_log(const fs::path& data) {
    return std::ranges::any_of(segments_in(data), [](const audit::SegmentFile& segment) {
        return size_of(segment.path) > audit::segment::header_size;
    });
}

void drop_empty_log(const settings::Settings& settings) {
    if (has_head(settings) || holds_log(settings.places.data)) return;
    std::error_code ignored; // the journal's own start says what the matter is
    for (const auto& segment : segments_in(settings.places.data)) fs::remove(segment.path, ignored);
}

void take_back_first_start(const settings::Settings& settings) {
    std::error_code ignored; // what cannot be removed now is there at the next start, which goes on with it
    fs::remove(settings.audit.head_file, ignored);
    fs::remove(seal_file_in(settings.places.data), ignored);
}

} // namespace credlease::broker
