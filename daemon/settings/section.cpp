#include "settings/section.hpp"

#include <algorithm>

namespace credlease::settings {

void Complaint::add(std::uint32_t line, const std::string& key, result::Error error) {
    if (error_) return;
    error.about = result::PublicText::of(file_ + ":" + std::to_string(line) + ": " + key);
    error_ = std::move(error);
}

void Complaint::add(std::uint32_t line, const std::string& key, result::StaticText sentence,
                    result::StaticText next_step) {
    add(line, key, {.code = result::ErrorCode::configuration, .sentence = sentence, .next_step = next_step});
}

Section::Section(Complaint& complaint, std::string name, const Node* table)
    : complaint_(complaint), name_(std::move(name)) {
    if (table == nullptr) return;
    line_ = table->line;
    table_ = std::get_if<Node::Table>(&table->value);
    if (table_ == nullptr)
        complaint_.add(line_, name_, "A table is expected here.", "Write its keys below [its name].");
}

Section::~Section() {
    if (table_ == nullptr) return;
    for (const auto& each : *table_) {
        if (std::ranges::find(known_, each.key) != known_.end()) continue;
        complaint_.add(each.value.line, name_.empty() ? each.key : name_ + "." + each.key, "This key is not known.",
                       "Correct its name, or take it out.");
    }
}

const Entry* Section::entry(std::string_view key) const {
    if (table_ == nullptr) return nullptr;
    const auto found = std::ranges::find(*table_, key, &Entry::key);
    return found == table_->end() ? nullptr : &*found;
}

std::vector<std::string> Section::keys() const {
    std::vector<std::string> keys;
    if (table_ == nullptr) return keys;
    for (const auto& each : *table_) keys.push_back(each.key);
    return keys;
}

const Node* Section::find(std::string_view key) {
    const Entry* const found = entry(key);
    if (found == nullptr) return nullptr;
    known_.push_back(found->key);
    return &found->value;
}

void Section::complain(std::string_view key, result::Error error) {
    const Entry* const about = entry(key);
    const auto name = name_.empty() ? std::string(key) : name_ + "." + std::string(key);
    complaint_.add(about != nullptr ? about->value.line : line_, name, std::move(error));
}

void Section::complain(std::string_view key, result::StaticText sentence, result::StaticText next_step) {
    complain(key, {.code = result::ErrorCode::configuration, .sentence = sentence, .next_step = next_step});
}

} // namespace credlease::settings
