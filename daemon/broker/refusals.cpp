#include "broker/refusals.hpp"

namespace credlease::broker {

void Refusals::note(vocabulary::Action action, const Asker& asker, std::string_view code,
                    const RefusedSubject& subject) {
    Kind kind{.action = action,
              .pid = asker.peer ? asker.peer->pid : 0,
              .uid = asker.peer ? asker.peer->uid : 0,
              .principal = asker.caller ? asker.caller->principal : std::string(),
              .code = std::string(code),
              .subject = subject};
    auto& counted = counted_[std::move(kind)];
    if (counted.count++ == 0) counted.first = asker;
    if (counted_.size() >= most_kinds) return flush();
    if (call_ == 0) {
        call_ = clock_.call_at(clock_.boot() + std::chrono::seconds(1), [this] {
            call_ = 0;
            flush();
        });
    }
}

void Refusals::flush() {
    if (call_ != 0) clock_.cancel(std::exchange(call_, 0));
    for (const auto& [kind, counted] : counted_) {
        auto record = record_of(counted.first, kind.action);
        record.ok = false;
        record.code = kind.code;
        record.credential = kind.subject.credential;
        record.lease = kind.subject.lease;
        record.count = counted.count;
        journal_.note(record);
    }
    counted_.clear();
    journal_.flush();
}

} // namespace credlease::broker
