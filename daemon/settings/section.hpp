#pragma once

#include "settings/node.hpp"
#include "settings/values.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::settings {

/// The first thing that is wrong with the config file.
class Complaint {
  public:
    explicit Complaint(std::string file) : file_(std::move(file)) {}

    /// About "FILE:LINE: KEY". Only the first one is kept.
    void add(std::uint32_t line, const std::string& key, result::Error error);
    void add(std::uint32_t line, const std::string& key, result::StaticText sentence, result::StaticText next_step);
    [[nodiscard]] const std::optional<result::Error>& error() const { return error_; }

  private:
    std::string file_;
    std::optional<result::Error> error_;
};

/// One table of the config file: its keys are taken one by one, and what nobody took is refused when it dies.
class Section {
  public:
    /// `table` may be absent: then every key has its default. `name` is what messages call it ("sockets", "worker").
    Section(Complaint& complaint, std::string name, const Node* table);
    ~Section();
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

    /// Puts the key's value into `into`, if it is there and right. `read`: one of values.hpp.
    template <class Into, class Read> bool take(std::string_view key, Into& into, Read read);
    /// The same for a key that must be there.
    template <class Into, class Read> bool require(std::string_view key, Into& into, Read read);
    /// A table within this one; it may be absent.
    [[nodiscard]] Section table(std::string_view key) { return {complaint_, std::string(key), find(key)}; }
    /// Its keys, for a table whose keys are names.
    [[nodiscard]] std::vector<std::string> keys() const;
    /// A key's raw value, for what has a shape of its own; null: absent.
    [[nodiscard]] const Node* find(std::string_view key);
    /// Says what is wrong with a key that was taken (or with the table).
    void complain(std::string_view key, result::Error error);
    void complain(std::string_view key, result::StaticText sentence, result::StaticText next_step);
    [[nodiscard]] Complaint& complaint() { return complaint_; }

  private:
    [[nodiscard]] const Entry* entry(std::string_view key) const;
    /// Of the keys that were asked for: the one that was meant, going by its letters; empty: none comes near.
    [[nodiscard]] std::string_view nearest(std::string_view key) const;

    Complaint& complaint_;
    std::string name_;
    std::uint32_t line_ = 0;
    const Node::Table* table_ = nullptr;
    std::vector<std::string> known_; ///< were asked for, there or not
};

template <class Into, class Read> bool Section::take(std::string_view key, Into& into, Read read) {
    const Node* const node = find(key);
    if (node == nullptr) return false;
    auto value = read(*node);
    if (value) {
        into = std::move(*value);
    } else {
        complain(key, std::move(value.error()));
    }
    return value.has_value();
}

template <class Into, class Read> bool Section::require(std::string_view key, Into& into, Read read) {
    if (entry(key) == nullptr) complain(key, "A key that must be there is missing.", "Add it to this table.");
    return take(key, into, read);
}

} // namespace credlease::settings
