#include "audit/change.hpp"

namespace credlease::audit {
namespace {

using mac::bytes_of;

/// The stream that masks the shares of one frame's records: never the same for two frames, as far as time and number
/// tell them apart.
class Mask {
  public:
    Mask(const mac::HeadMac& mac, std::uint64_t at, std::uint64_t number) : mac_(mac), at_(at), number_(number) {}

    mac::Digest next(mac::Digest element) {
        const auto at = mac::little_endian(at_);
        const auto number = mac::little_endian(number_);
        const auto index = mac::little_endian(index_++);
        const mac::Digest stream = mac_.of({bytes_of("mask"), Bytes(at), Bytes(number), Bytes(index)});
        for (std::size_t i = 0; i < element.size(); ++i) element[i] ^= stream[i];
        return element;
    }

  private:
    const mac::HeadMac& mac_;
    std::uint64_t at_;
    std::uint64_t number_;
    std::uint64_t index_ = 0;
};

std::uint64_t milliseconds(vocabulary::Time at) { return static_cast<std::uint64_t>(at.time_since_epoch().count()); }

void write_steps(Encoder& out, Mask mask, const std::vector<store::Step>& steps) {
    out.number(steps.size());
    for (const auto& step : steps) {
        out.byte(static_cast<std::uint8_t>(step.table));
        out.byte(step.element ? 1 : 0);
        out.number(step.revision);
        out.text(step.key);
        if (step.element) out.fixed(mask.next(*step.element));
    }
}

void read_steps(Decoder& in, Mask mask, std::vector<StepView>& steps) {
    const auto number = in.number(in.left());
    for (std::uint64_t i = 0; i < number && !in.failed(); ++i) {
        StepView step{.table = static_cast<store::Table>(in.byte()), .key = {}, .element = {}};
        const bool is_put = in.byte() != 0;
        step.revision = in.number();
        step.key = in.text();
        if (is_put) step.element = mask.next(in.fixed<sizeof(mac::Digest)>());
        steps.push_back(step);
    }
}

/// The record goes first, behind its size.
void write_record_part(Encoder& out, const vocabulary::AuditRecord& record) {
    Buffer bytes;
    Encoder inner(bytes);
    write_record(inner, record);
    out.number(bytes.size());
    out.bytes(bytes);
}

Bytes read_record_part(Decoder& in) { return in.bytes(in.number()); }

} // namespace

mac::Digest state_of(const mac::HeadMac& mac, std::uint64_t number, const mac::SetHash& set) {
    const auto count = mac::little_endian(number);
    return mac.of({bytes_of("state"), Bytes(count), bytes_of(set.value())});
}

void write_change(Buffer& out, const mac::HeadMac& mac, const vocabulary::AuditRecord& record, std::uint64_t number,
                  const store::Prepared& prepared) {
    Encoder to(out);
    write_record_part(to, record);
    to.number(number);
    to.fixed(state_of(mac, number, prepared.set_hash_after()));
    write_steps(to, Mask(mac, milliseconds(record.at), number), prepared.steps());
}

void write_carried(Buffer& out, const mac::HeadMac& mac, const vocabulary::AuditRecord& record,
                   const std::vector<store::Step>& steps) {
    Encoder to(out);
    write_record_part(to, record);
    write_steps(to, Mask(mac, milliseconds(record.at), 0), steps);
}

result::Result<> read_frame(FrameKind kind, Bytes payload, std::uint64_t seq, Decoded& into) {
    if (kind == FrameKind::record) return read_record(payload, seq, into);
    Decoder in(payload);
    return read_record(read_record_part(in), seq, into);
}

std::optional<ChangeNote> read_note(FrameKind kind, Bytes payload, const mac::HeadMac& mac) {
    Decoder in(payload);
    Decoded decoded;
    if (!read_record(read_record_part(in), 0, decoded)) return std::nullopt;
    ChangeNote note;
    if (kind == FrameKind::change) {
        note.number = in.number();
        note.state = in.fixed<sizeof(mac::Digest)>();
    }
    read_steps(in, Mask(mac, milliseconds(decoded.record.at), note.number), note.steps);
    if (in.failed() || in.left() != 0) return std::nullopt;
    return note;
}

std::uint64_t read_change_number(Bytes payload) {
    Decoder in(payload);
    read_record_part(in);
    return in.number();
}

} // namespace credlease::audit
