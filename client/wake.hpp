#pragma once

namespace credlease::client {

/// Wakes a thread that waits in poll(2), from another one. Closed in a forked child.
class Wake {
  public:
    Wake();
    ~Wake();
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;

    void come() const;
    /// Whether it came since this was asked last.
    [[nodiscard]] bool take() const;
    /// Can be read once it came. -1, which poll(2) passes over: there was none to be had.
    [[nodiscard]] int descriptor() const { return descriptor_; }

  private:
    int descriptor_;
};

} // namespace credlease::client
