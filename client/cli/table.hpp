#pragma once

#include "cli/terminal.hpp"

#include <string>
#include <vector>

namespace credlease::cli {

struct Cell {
    std::string text;
    Color color = Color::none;
};

/// Rows under a heading, in columns as wide as their widest text; on standard output.
class Table {
  public:
    explicit Table(std::vector<std::string> heading) : heading_(std::move(heading)) {}
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    /// `when_empty` is said on standard error instead of an empty table.
    void print(const std::string& when_empty) const;

  private:
    std::vector<std::string> heading_;
    std::vector<std::vector<Cell>> rows_;
};

/// "name      value" lines, names padded to one width.
class Sheet {
  public:
    /// An empty value leaves the line out.
    void add(std::string name, std::string value, Color color = Color::none);
    void print() const;

  private:
    std::vector<std::pair<std::string, Cell>> lines_;
};

} // namespace credlease::cli
