#include "settings/section.hpp"

#include <algorithm>
#include <numeric>

namespace credlease::settings {
namespace {

/// How many letters must be put in, taken out or replaced (Levenshtein), row by row of the usual table.
std::size_t edits_between(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), 0U);
    for (const char letter : from) {
        std::size_t diagonal = row.front()++;
        for (std::size_t i = 1; i < row.size(); ++i) {
            const auto replaced = diagonal + (letter == to[i - 1] ? 0 : 1);
            diagonal = row[i];
            row[i] = std::min({replaced, row[i] + 1, row[i - 1] + 1});
        }
    }
    return row.back();
}

} // namespace

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
        auto what = name_.empty() ? each.key : name_ + "." + each.key;
        if (const auto meant = nearest(each.key); !meant.empty()) what.append(", did you mean ").append(meant) += '?';
        complaint_.add(each.value.line, what, "This key is not known.", "Correct its name, or take it out.");
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

std::string_view Section::nearest(std::string_view key) const {
    std::string_view found;
    std::size_t least = std::min<std::size_t>(2, key.size() / 2) + 1; // more would be another word
    for (const auto& known : known_) {
        const auto distance = edits_between(key, known);
        if (distance >= least) continue;
        least = distance;
        found = known;
    }
    return found;
}

const Node* Section::find(std::string_view key) {
    known_.emplace_back(key);
    const Entry* const found = entry(key);
    return found == nullptr ? nullptr : &found->value;
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
