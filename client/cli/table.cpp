#include "cli/table.hpp"

#include <algorithm>
#include <unistd.h>

namespace credlease::cli {
namespace {

std::string padding(const std::string& text, std::size_t width) {
    return std::string(width - std::min(width, characters_in(text)), ' ');
}

} // namespace

void Table::print(const std::string& when_empty) const {
    if (rows_.empty()) {
        write_all(STDERR_FILENO, when_empty + "\n");
        return;
    }
    std::vector<std::size_t> widths;
    for (const auto& name : heading_) widths.push_back(characters_in(name));
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], characters_in(printable(row[i].text)));
        }
    }
    std::string out;
    const auto add_line = [&](std::size_t count, auto&& cell_at) {
        for (std::size_t i = 0; i < count; ++i) {
            const Cell cell = cell_at(i);
            const std::string text = printable(cell.text);
            out += in(cell.color, text);
            if (i + 1 < count) out += padding(text, widths[i]) + "  ";
        }
        out += '\n';
    };
    add_line(heading_.size(), [&](std::size_t i) { return Cell{heading_[i], Color::faint}; });
    for (const auto& row : rows_) add_line(row.size(), [&](std::size_t i) { return row[i]; });
    write_all(STDOUT_FILENO, out);
}

void Sheet::add(std::string name, std::string value, Color color) {
    if (!value.empty()) lines_.emplace_back(std::move(name), Cell{std::move(value), color});
}

void Sheet::print() const {
    std::size_t width = 0;
    for (const auto& [name, cell] : lines_) width = std::max(width, characters_in(name));
    std::string out;
    for (const auto& [name, cell] : lines_) {
        out += in(Color::faint, name) + padding(name, width) + "  " + in(cell.color, printable(cell.text)) + "\n";
    }
    write_all(STDOUT_FILENO, out);
}

} // namespace credlease::cli
