#include "audit/opening.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::audit {
namespace {

using result::refuse;
using result::Result;

result::Error unwritable(const std::filesystem::path& path) {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence = "The audit log can't be written.",
            .next_step = "Look for a full disk, and at the owner and rights of the data directory.",
            .about = result::PublicText::of(path.string() + ": " + std::strerror(errno))};
}

} // namespace

/// All is decided: from here on it writes.
Result<> Opening::settle() {
    const auto& directory = state_.options.directory;
    replayed_.unclean = replayed_.last != 0 && last_action_ != vocabulary::Action::broker_stopped &&
                        last_action_ != vocabulary::Action::broker_sealed;
    replayed_.other_boot = replayed_.unclean && head_->boot_id != state_.options.boot_id;
    // A new log's head is there, with nothing in it, before the log is: one without a head is refused.
    if (!replayed_.head_lost) {
        if (auto opened = open_head(); !opened) return opened;
    }
    if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) return refuse(unwritable(directory));
    if (!cut_tail() || !append_missing()) return refuse(unwritable(directory));
    const Mark& at = state_.writer.at();
    const Reach reach{.seq = at.seq - 1,
                      .chain = at.chain,
                      .changes = changes_,
                      .state = expected_,
                      .pruned = head_->pruned,
                      .place = {state_.writer.segment()->first, at}};
    if (!sync()) return refuse(unwritable(directory));
    if (auto written = write_head(reach); !written) return written;
    state_.begin_at(reach, *head_, copies_.empty() ? changes_ + 1 : copies_.front().number);
    return {};
}

/// What lies behind the last whole record goes, and segments that begin behind it.
bool Opening::cut_tail() {
    const bool has_segment = end_.offset != 0;
    for (std::size_t i = segments_.size(); i-- > 0;) {
        if (has_segment && i < last_segment_) break;
        std::error_code ignored;
        std::filesystem::remove(index_path(segments_[i].path), ignored);
        if (!has_segment || i > last_segment_) std::filesystem::remove(segments_[i].path, ignored);
    }
    if (!has_segment) return state_.writer.begin_segment(state_.clock.wall());
    const auto& last = segments_[last_segment_];
    auto file = File::open(last.path, O_RDWR);
    if (!file || !file->cut(end_.offset)) return false;
    auto segment = std::make_shared<OpenSegment>();
    segment->file = std::move(*file);
    segment->path = last.path;
    segment->first = last.first;
    state_.writer.go_on(std::move(segment), end_);
    return true;
}

/// First what a start has to say, then what is in the store and not in the log.
bool Opening::append_missing() {
    Turn turn;
    turn.first = state_.writer.at().seq;
    turn.latest = state_.clock.wall();
    const auto say = [&turn](vocabulary::Action action, bool ok, const std::string& detail) {
        const vocabulary::AuditRecord record{.at = turn.latest, .action = action, .ok = ok, .detail = detail};
        turn.entries.push_back({});
        append_frame(turn.bytes, FrameKind::record, [&](Buffer& bytes) {
            Encoder out(bytes);
            write_record(out, record);
        });
    };
    // Before the head of this boot is written: the next start could not tell any more.
    if (replayed_.other_boot) {
        say(vocabulary::Action::log_gap, true,
            "leases after sequence " + std::to_string(replayed_.last) + " may be missing from the record");
    }
    for (const auto& change : recent_) {
        if (change.is_disowned || change.is_matched) continue;
        say(vocabulary::Action::change_not_made, false, std::to_string(change.seq));
    }
    for (const auto& payload : missing_) {
        turn.entries.push_back({});
        append_frame(turn.bytes, FrameKind::change,
                     [&](Buffer& bytes) { Encoder(bytes).bytes(mac::bytes_of(payload)); });
    }
    if (turn.empty()) return true;
    state_.writer.write(turn);
    if (!turn.written) return false;
    std::uint64_t seq = turn.first;
    for_each_frame(turn.bytes, [&](std::span<std::byte> frame) { show(seq++, frame); });
    return true;
}

void Opening::show(std::uint64_t seq, std::span<std::byte> frame) {
    Decoded decoded;
    const auto kind = static_cast<FrameKind>(frame[segment::length_size]);
    if (!read_frame(kind, frame.subspan(segment::length_size + 1), seq, decoded)) return;
    visit_(decoded.record);
}

/// The log before the head that names it: each segment that the last head does not vouch for.
bool Opening::sync() {
    for (std::size_t i = 0; end_.offset != 0 && i <= last_segment_; ++i) {
        const bool is_synced = i < last_segment_ && segments_[i + 1].first <= synced_ + 1;
        if (is_synced) continue;
        const auto file = File::open(segments_[i].path, O_RDWR);
        if (!file || !file->sync()) return false;
    }
    return state_.writer.segment()->file.sync() && sync_directory(state_.options.directory) &&
           sync_directory(state_.options.directory.parent_path()) && state_.store.sync();
}

Result<> Opening::open_head() {
    auto opened = HeadFile::open(state_.options.head_file, state_.keys.head, *head_);
    if (!opened) return refuse(std::move(opened.error()));
    state_.head_file.emplace(std::move(*opened));
    return {};
}

Result<> Opening::write_head(const Reach& reach) {
    head_->writes += 1;
    head_->seq = reach.seq;
    head_->chain = reach.chain;
    head_->changes = reach.changes;
    head_->state = reach.state;
    head_->boot_id = state_.options.boot_id;
    if (replayed_.head_lost) {
        if (auto opened = open_head(); !opened) return opened;
    }
    if (!state_.head_file->write(state_.keys.head, *head_)) return refuse(unwritable(state_.options.head_file));
    return {};
}

} // namespace credlease::audit
